"""Adapters of random values as peft writes them, for tests/exchange/peft_test.cpp.

    python peft_adapters.py         (PyTorch 2.15, transformers 5.24, peft 0.21) writes peft/*/ beside itself
    python peft_adapters.py --check MODEL ADAPTERS EXPECTED      loads both folders with peft and compares their logits with EXPECTED,
                                                        a file of NumPy that weft logits --ids 5,9,2 (--target-ids 0,3) wrote

Each folder holds what save_pretrained writes of adapters of a model in hugging_face/, and expected.safetensors: what the model
reads, its logits, and the gradients of sum(logits * weights) by the adapters, all computed in float64. `model` of
expected.safetensors' metadata names the model.
"""

import json
import os
import shutil
import sys

import numpy as np
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file

transformers.logging.set_verbosity_error()
here = os.path.dirname(os.path.abspath(__file__))


def arguments_of(given):
    if "image" in given:
        return {"pixel_values": given["image"].double()}
    arguments = {"input_ids": given["ids"]}
    arguments["attention_mask"] = (torch.arange(given["ids"].shape[1]) < given["lengths"][:, None]).long()
    if "target_ids" in given:
        arguments["decoder_input_ids"] = given["target_ids"]
    return arguments


def case(name, base, architecture, given, config, **more):
    torch.manual_seed(len(name))
    model = getattr(transformers, architecture).from_pretrained(os.path.join(here, "hugging_face", base), dtype=torch.float32, **more)
    model = get_peft_model(model, LoraConfig(**config))
    for parameter_name, parameter in model.named_parameters():
        if parameter.requires_grad:  # values that float32 holds, lora_B among them, which begins as zeros
            parameter.data.copy_(torch.randn(parameter.shape) * 0.3)
    folder = os.path.join(here, "peft", name)
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    with open(os.path.join(folder, "adapter_config.json")) as file:
        written = json.load(file)
    written["target_modules"].sort()  # they are a set
    written["base_model_name_or_path"] = base  # and not where it lies here
    with open(os.path.join(folder, "adapter_config.json"), "w") as file:
        json.dump(written, file, indent=2)
    if os.path.exists(os.path.join(folder, "README.md")):
        os.remove(os.path.join(folder, "README.md"))
    model = model.double().eval()
    logits = model(**arguments_of(given)).logits
    weights = torch.randn(logits.shape).double()
    if "lengths" in given and logits.dim() == 3 and "target_ids" not in given:
        weights = weights * (torch.arange(logits.shape[1]) < given["lengths"][:, None])[..., None]
    weights = weights.float().double()
    (logits * weights).sum().backward()
    expected = given | {"logits": logits.detach().float().contiguous(), "weights": weights.float()}
    for parameter_name, parameter in model.named_parameters():
        if ".lora_" in parameter_name:
            expected["gradient." + parameter_name.replace(".default", "")] = parameter.grad.float().contiguous()
    save_file(expected, os.path.join(folder, "expected.safetensors"), metadata={"model": base})


def tokens(rows=3, length=9):
    torch.manual_seed(7)
    return {"ids": torch.randint(1, 29, (rows, length)), "lengths": torch.tensor([length, 4, 1][:rows])}


def framed():
    given = tokens()
    given["ids"] = torch.where(torch.arange(given["ids"].shape[1]) < given["lengths"][:, None], given["ids"], 0)
    return given


def write():
    answers = {"target_ids": torch.tensor([[0, 3, 4, 5, 6, 7, 8], [0, 9, 9, 2, 1, 1, 1], [0, 28, 27, 26, 25, 3, 3]])}
    case("gpt2", "gpt2", "GPT2LMHeadModel", tokens(), dict(task_type="CAUSAL_LM", r=3, lora_alpha=5))
    case("gpt2-all", "gpt2", "GPT2LMHeadModel", tokens(), dict(task_type="CAUSAL_LM", r=2, lora_alpha=7, target_modules=["c_attn", "c_proj", "c_fc"], rank_pattern={"mlp.c_proj": 3}, alpha_pattern={"c_fc": 2, "transformer.h.1.attn.c_proj": 9}))
    case("gpt2-new-classes", "gpt2", "GPT2ForSequenceClassification", framed(), dict(task_type="SEQ_CLS", r=2, lora_alpha=4), num_labels=4, pad_token_id=0)
    case("llama", "llama", "LlamaForCausalLM", tokens(), dict(task_type="CAUSAL_LM", r=4, lora_alpha=16))
    case("llama-all-by-root", "llama", "LlamaForCausalLM", tokens(), dict(task_type="CAUSAL_LM", r=3, lora_alpha=4, use_rslora=True, target_modules="all-linear"))
    case("bert-classes", "bert-classes-float16", "BertForSequenceClassification", tokens(), dict(task_type="SEQ_CLS", r=2, lora_alpha=3))
    case("t5", "t5", "T5ForConditionalGeneration", tokens() | answers, dict(task_type="SEQ_2_SEQ_LM", r=2, lora_alpha=8))
    case("vit", "vit", "ViTForImageClassification", {"image": torch.rand(3, 2, 8, 8)}, dict(r=2, lora_alpha=6, target_modules=["q_proj", "v_proj"], modules_to_save=["classifier"]))


def check(folder, adapters, expected):
    architecture = transformers.AutoConfig.from_pretrained(folder).architectures[0]
    base = getattr(transformers, architecture).from_pretrained(folder, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, adapters).double().eval()
    arguments = {"input_ids": torch.tensor([[5, 9, 2]])}
    if architecture.startswith("T5"):
        arguments["decoder_input_ids"] = torch.tensor([[0, 3]])
    with torch.no_grad():
        found, without = model(**arguments).logits, base.double().eval()
    wanted = torch.from_numpy(np.load(expected)).double()
    with model.disable_adapter(), torch.no_grad():
        without = model(**arguments).logits
    found, without = found.reshape(wanted.shape), without.reshape(wanted.shape)
    worst = float((found - wanted).abs().max() / wanted.abs().max())
    changed = float((found - without).abs().max() / wanted.abs().max())
    print(f"{architecture}: worst difference {worst:.2e} of the largest; the adapters change {changed:.2e}")
    sys.exit(0 if worst < 1e-5 < changed else 1)


if len(sys.argv) == 5 and sys.argv[1] == "--check":
    check(*sys.argv[2:])
write()
