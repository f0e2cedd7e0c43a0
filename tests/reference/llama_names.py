"""What weft calls the parameters of transformers' Llama, as replacements in order."""

NAMES = [
    ("model.layers.", "blocks."),
    ("model.embed_tokens.", "token_embedding."),
    ("model.norm.", "norm."),
    ("input_layernorm.", "norm1."),
    ("post_attention_layernorm.", "norm2."),
    ("self_attn.q_proj.", "attention.query."),
    ("self_attn.k_proj.", "attention.key."),
    ("self_attn.v_proj.", "attention.value."),
    ("self_attn.o_proj.", "attention.output."),
    ("mlp.gate_proj.", "feed_forward.gate."),
    ("mlp.up_proj.", "feed_forward.up."),
    ("mlp.down_proj.", "feed_forward.down."),
    ("lm_head.", "output."),
    ("score.", "classifier."),
]
