"""Hidden states of the models in hugging_face/, for tests/exchange/hugging_face_test.cpp.

    python hidden_states.py        (PyTorch 2.15, transformers 5.24) writes hidden_states.safetensors beside itself

For a model NAME, NAME.n is hidden_states[n] of what its expected.safetensors reads, computed in float64; of an
encoder-decoder that of the encoder, and of vit the last is last_hidden_state, behind the norm.
"""

import os

import torch
import transformers
from safetensors.torch import load_file, save_file

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
here = os.path.dirname(os.path.abspath(__file__))
all_states = {}
for name in ["gpt2", "gpt2-classes", "llama", "llama-tied-wide-heads", "qwen3", "bert-masked", "bert-classes-float16", "t5", "t5-gated-one-decoder-layer", "vit"]:
    folder = os.path.join(here, "hugging_face", name)
    architecture = transformers.AutoConfig.from_pretrained(folder).architectures[0]
    model = getattr(transformers, architecture).from_pretrained(folder, dtype=torch.float32).double().eval()
    given = load_file(os.path.join(folder, "expected.safetensors"))
    if "image" in given:
        arguments = {"pixel_values": given["image"].double()}
    else:
        mask = torch.arange(given["ids"].shape[1]) < given["lengths"][:, None]
        arguments = {"input_ids": given["ids"], "attention_mask": mask.long()}
    base = model.get_encoder() if model.config.is_encoder_decoder else model.base_model
    with torch.no_grad():
        out = base(**arguments, output_hidden_states=True)
    states = list(out.hidden_states)
    states[-1] = out.last_hidden_state
    for layer, state in enumerate(states):
        all_states[f"{name}.{layer}"] = state.float().contiguous()
save_file(all_states, os.path.join(here, "hidden_states.safetensors"))
