"""Greedy and beam searches by transformers, with what they found."""

import numpy as np
import torch
import torch.nn.functional as F

EMBEDDINGS = ("wte", "embed_tokens", "shared", "lm_head")


def random_weights(model, rng):
    """Values that float32 holds exactly: wide ones and tokens of equal length, or it would say the same token for ever."""
    for name, parameter in model.named_parameters():
        middle = 1.0 if parameter.dim() == 1 and name.endswith("weight") else 0.0
        values = torch.from_numpy(rng.normal(middle, 0.8 if parameter.dim() > 1 else 0.2, tuple(parameter.shape)))
        if any(part in name for part in EMBEDDINGS):
            values = F.normalize(values)
        parameter.data = values.float().to(parameter.dtype)


def padded(rows):
    result = np.full((len(rows), max(map(len, rows))), -1, dtype=np.int64)
    for row, values in zip(result, rows):
        row[: len(values)] = values
    return result


def searches(model, rng, vocab_size, count=48, most_tokens=20):
    """Searches from prompts of unequal length, greedy and by beams; with no end, with one, with two. A case is a row
    of each array; -1 is padding."""
    cases = {"prompt": [], "ends": [], "result": [], "beams": [], "tokens": [], "length_penalty": []}
    for i in range(count):
        prompt = rng.integers(1, vocab_size, rng.choice([1, 2, 5, 9])).tolist()
        beams = int(rng.choice([1, 2, 3, 5]))
        tokens = int(rng.integers(1, most_tokens + 1))
        penalty = float(rng.choice([1.0, 1.0, 0.0, 2.0])) if beams > 1 else 1.0

        def search(ends):
            length = dict(length_penalty=penalty, early_stopping=False) if beams > 1 else {}
            start = dict(decoder_start_token_id=0) if model.config.is_encoder_decoder else {}
            found = model.generate(
                torch.tensor([prompt]),
                attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                do_sample=False,
                num_beams=beams,
                max_new_tokens=tokens,
                eos_token_id=ends or None,
                pad_token_id=0,
                **length,
                **start,
            )[0]
            return found[1 if start else len(prompt) :].tolist()

        result, ends = search([]), []
        if i % 4:
            # Ends that are met: what it would say without them, from the third token on.
            ends = sorted(set(rng.choice(result[2:] or result, 1 + i % 2).tolist()))
            result = search(ends)
        for key, value in zip(cases, (prompt, ends, result, beams, tokens, penalty)):
            cases[key].append(value)
    return {key: padded(values) if isinstance(values[0], list) else np.array(values) for key, values in cases.items()}
