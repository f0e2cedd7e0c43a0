"""Log-mel frames as Whisper's extractor and librosa make them, and files of sounds, for tests/data/sounds.

    python sounds.py       (transformers 5.23, librosa 0.11, soundfile 0.13, h5py) writes sounds.h5 and sounds/ beside itself

A case is `samples`, what its frames are made from, and `frames` (T, M).
"""

import os

import h5py
import librosa
import numpy as np
import soundfile
from transformers import WhisperFeatureExtractor

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(40)


def sound(rate, seconds):
    """Tones that rise and fall, and noise."""
    t = np.arange(int(rate * seconds)) / rate
    tones = 0.4 * np.sin(2 * np.pi * (200 + 900 * t) * t) * (t < 0.6 * seconds) + 0.2 * np.sin(2 * np.pi * 1700 * t) * (t > 0.3 * seconds)
    return (tones + 0.01 * rng.normal(size=len(t))).astype(np.float32)


def by_librosa(samples, rate, n_fft, hop, n_mels):
    """Whisper's formula with librosa's parts, at any rate."""
    power = np.abs(librosa.stft(samples.astype(np.float64), n_fft=n_fft, hop_length=hop, window="hann", center=True, pad_mode="reflect")) ** 2
    mel = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=n_mels, dtype=np.float64) @ power[:, :-1]
    log = np.log10(np.maximum(mel, 1e-10))
    return ((np.maximum(log, log.max() - 8) + 4) / 4).T


def by_whisper(samples):
    return WhisperFeatureExtractor(feature_size=80)._np_extract_fbank_features(samples[None], "cpu")[0].T


with h5py.File(os.path.join(here, "sounds.h5"), "w", libver=("v110", "v110")) as file:
    for name, rate, seconds, n_fft, hop, n_mels in [
        ("whisper", 16000, 0.9, 400, 160, 80),
        ("telephone", 8000, 0.7, 200, 80, 40),
        ("odd window", 11025, 0.5, 275, 110, 32),
        ("short", 8000, 0.03, 200, 80, 40),
    ]:
        samples = sound(rate, seconds)
        frames = by_whisper(samples) if name == "whisper" else by_librosa(samples, rate, n_fft, hop, n_mels)
        group = file.create_group(name)
        for key, value in dict(rate=rate, n_fft=n_fft, hop_length=hop, n_mels=n_mels).items():
            group.create_dataset(key, data=np.int64(value), track_times=False)
        group.create_dataset("samples", data=samples, track_times=False)
        group.create_dataset("frames", data=frames.astype(np.float32), track_times=False)

os.makedirs(os.path.join(here, "sounds"), exist_ok=True)
one = sound(8000, 0.25)
two = np.stack([one, 0.5 * one[::-1]], 1)
for name, samples, kind in [
    ("one.wav", one, "PCM_16"),
    ("two.wav", two, "PCM_16"),
    ("deep.wav", one, "PCM_24"),
    ("float.wav", one, "FLOAT"),
    ("one.flac", one, "PCM_16"),
]:
    soundfile.write(os.path.join(here, "sounds", name), samples, 8000, kind)
with h5py.File(os.path.join(here, "sounds", "samples.h5"), "w", libver=("v110", "v110")) as file:
    for name in ["one.wav", "two.wav", "deep.wav", "float.wav", "one.flac"]:
        read, _ = soundfile.read(os.path.join(here, "sounds", name), dtype="float32", always_2d=True)
        file.create_dataset(name, data=read.astype(np.float64).mean(1).astype(np.float32), track_times=False)
