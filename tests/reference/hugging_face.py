"""Small models of random weights as transformers writes them, for tests/tools/hugging_face_test.cpp.

    python hugging_face.py                  (PyTorch 2.15, transformers 5.23; Qwen3 and scaled positions 5.24) writes hugging_face/*/ beside itself
    python hugging_face.py --check DIR EXPECTED     loads DIR with transformers and compares its logits with EXPECTED

Each folder holds what save_pretrained writes, and expected.safetensors: what the model reads, its logits computed in
float64, and of some models greedy and beam searches (searches.py).
"""

import os
import shutil
import sys

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from searches import random_weights, searches

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hugging_face")


def logits_of(model, given):
    model = model.double().eval()
    arguments = {}
    if "image" in given:
        arguments["pixel_values"] = given["image"].double()
    else:
        lengths = given["lengths"]
        arguments["input_ids"] = given["ids"]
        arguments["attention_mask"] = (torch.arange(given["ids"].shape[1]) < lengths[:, None]).long()
    if "target_ids" in given:
        arguments["decoder_input_ids"] = given["target_ids"]
    with torch.no_grad():
        return model(**arguments).logits.float()


def case(name, model, given, dtype=torch.float32, searched=False, **options):
    rng = np.random.default_rng(len(name))
    random_weights(model, rng)
    model.tie_weights()
    folder = os.path.join(here, name)
    shutil.rmtree(folder, ignore_errors=True)
    model.to(dtype).save_pretrained(folder, **options)
    if os.path.exists(os.path.join(folder, "generation_config.json")):
        os.remove(os.path.join(folder, "generation_config.json"))
    if searched:
        found = searches(model.double().eval(), rng, model.config.vocab_size, count=24, most_tokens=11)
        given = given | {key: torch.from_numpy(values) for key, values in found.items()}
    save_file(given | {"logits": logits_of(model, given).contiguous()}, os.path.join(folder, "expected.safetensors"))


def tokens(vocab_size, rows=3, length=9):
    torch.manual_seed(7)
    return {"ids": torch.randint(0, vocab_size, (rows, length)), "lengths": torch.tensor([length, 4, 1][:rows])}


def write():
    V = 29
    gpt2 = dict(vocab_size=V, n_positions=12, n_embd=8, n_layer=2, n_head=2, bos_token_id=None, eos_token_id=5)
    make = lambda **more: transformers.GPT2LMHeadModel(transformers.GPT2Config(**gpt2, **more))
    case("gpt2", make(), tokens(V))
    case("gpt2-exact-gelu-bfloat16-shards", make(activation_function="gelu"), tokens(V), torch.bfloat16, max_shard_size="2KB")
    llama = dict(vocab_size=V, hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=24)
    make = lambda **more: transformers.LlamaForCausalLM(transformers.LlamaConfig(**llama, **more))
    case("llama", make(num_key_value_heads=1, rope_parameters={"rope_type": "default", "rope_theta": 500.0}), tokens(V), searched=True)
    case("llama-tied-wide-heads", make(head_dim=6, tie_word_embeddings=True, rms_norm_eps=1e-5), tokens(V))
    case("llama-scaled-rope", make(rope_parameters={"rope_type": "llama3", "rope_theta": 50.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 24}, head_dim=8), tokens(V))
    case("llama-linear-rope", make(rope_parameters={"rope_type": "linear", "rope_theta": 50.0, "factor": 3.0}), tokens(V))
    qwen3 = llama | dict(num_key_value_heads=1, head_dim=6, rope_parameters={"rope_type": "default", "rope_theta": 500.0})
    case("qwen3", transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**qwen3)), tokens(V))
    framed = tokens(V)
    framed["ids"] = torch.where(torch.arange(framed["ids"].shape[1]) < framed["lengths"][:, None], framed["ids"].clamp(min=1), 0)
    classes = dict(num_labels=3, pad_token_id=0)
    case("gpt2-classes", transformers.GPT2ForSequenceClassification(transformers.GPT2Config(**gpt2, **classes)), framed)
    case("llama-classes", transformers.LlamaForSequenceClassification(transformers.LlamaConfig(**llama, **classes)), framed)
    case("qwen3-classes", transformers.Qwen3ForSequenceClassification(transformers.Qwen3Config(**qwen3, **classes)), framed)
    t5 = dict(vocab_size=V, d_model=8, d_kv=6, d_ff=12, num_layers=2, num_heads=2, relative_attention_num_buckets=8, relative_attention_max_distance=6, decoder_start_token_id=0)
    make = lambda **more: transformers.T5ForConditionalGeneration(transformers.T5Config(**t5, **more))
    answers = {"target_ids": torch.tensor([[0, 3, 4, 5, 6, 7, 8], [0, 9, 9, 2, 1, 1, 1], [0, 28, 27, 26, 25, 3, 3]])}
    case("t5", make(), tokens(V) | answers, searched=True)
    case("t5-gated-one-decoder-layer", make(feed_forward_proj="gated-gelu", tie_word_embeddings=False, num_decoder_layers=1), tokens(V) | answers)
    vit = dict(image_size=8, patch_size=4, num_channels=2, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20, num_labels=5)
    case("vit", transformers.ViTForImageClassification(transformers.ViTConfig(**vit)), {"image": torch.rand(3, 2, 8, 8)})
    bert = dict(vocab_size=V, max_position_embeddings=12, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20)
    case("bert-masked", transformers.BertForMaskedLM(transformers.BertConfig(**bert)), tokens(V))
    case("bert-classes-float16", transformers.BertForSequenceClassification(transformers.BertConfig(**bert, num_labels=3)), tokens(V), torch.float16)


def check(folder, expected):
    with open(os.path.join(folder, "config.json")) as file:
        architecture = transformers.AutoConfig.from_pretrained(folder).architectures[0]
    model, report = getattr(transformers, architecture).from_pretrained(folder, output_loading_info=True)
    given = load_file(expected)
    wanted = given.pop("logits")
    found = logits_of(model, given)
    rows = range(len(wanted))
    differences = [(found[b] - wanted[b])[: given["lengths"][b]] if "lengths" in given and wanted.dim() == 3 else found[b] - wanted[b] for b in rows]
    worst = max(float(d.abs().max()) for d in differences) / float(wanted.abs().max())
    print(f"{architecture}: worst difference {worst:.2e} of the largest; {report}")
    sys.exit(0 if worst < 1e-5 and not report["missing_keys"] and not report["unexpected_keys"] else 1)


if len(sys.argv) == 4 and sys.argv[1] == "--check":
    check(sys.argv[2], sys.argv[3])
write()
