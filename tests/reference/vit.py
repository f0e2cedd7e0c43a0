"""transformers' ViT, computed in float64, for tests/layers/vit_test.cpp.

    python vit.py            (PyTorch 2.15, transformers 5.23, h5py) writes vit.h5 beside itself
"""

import os

import numpy as np
import torch
from model_case import model_case, renamed
from store import open_to_write, randomize
from transformers import ViTConfig, ViTForImageClassification

NAMES = [
    ("vit.embeddings.cls_token", "class_token.weight"),
    ("vit.embeddings.position_embeddings", "position_embedding.weight"),
    ("vit.embeddings.patch_embeddings.projection.", "patch_embedding."),
    ("vit.layernorm.", "norm."),
    ("vit.layers.", "blocks."),
    (".q_proj.", ".query."),
    (".k_proj.", ".key."),
    (".v_proj.", ".value."),
    (".o_proj.", ".output."),
    ("layernorm_before.", "norm1."),
    ("layernorm_after.", "norm2."),
    ("mlp.fc1.", "feed_forward.up."),
    ("mlp.fc2.", "feed_forward.down."),
    ("classifier.", "head."),
]


def weft_names(tensors):
    """The class token and the positions without their axes of 1."""
    tables = ("class_token.weight", "position_embedding.weight")
    return {name: tensor.flatten(0, 1) if name in tables else tensor for name, tensor in renamed(tensors, NAMES).items()}


torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(70)
file = open_to_write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "vit.h5"))
B, SIZE, CLASSES = 3, 12, 5
options = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=40, image_size=SIZE, patch_size=4, num_channels=3)
config = dict(image_size=SIZE, patch_size=4, n_channel=3, n_class=CLASSES, n_layer=2, n_head=2, n_embd=16, n_inner=40, dropout=0.0, drop_path=0.0, layer_norm_eps=1e-12)
for name, targets in [
    ("classification", torch.tensor([4, 0, 2])),
    ("segmentation", torch.from_numpy(rng.integers(0, CLASSES, (B, 9)))),
]:
    model = ViTForImageClassification(ViTConfig(num_labels=CLASSES, attn_implementation="sdpa", **options)).double()
    randomize(model, rng)
    pictures = torch.from_numpy(rng.uniform(-1, 1, (B, 3, SIZE, SIZE)).astype(np.float32).astype(np.float64))
    if name == "classification":
        logits = model(pictures).logits
    else:
        targets[1, 2:5] = -100
        logits = model.classifier(model.vit(pictures).last_hidden_state[:, 1:])
    model_case(file, name, model, weft_names, config | dict(segmentation=int(name == "segmentation")), logits, targets, inputs=pictures.float())
file.close()
