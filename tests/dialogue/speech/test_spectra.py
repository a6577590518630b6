"""Spectra are those that the published models learnt from."""

import numpy as np
import pytest

from twinloop.dialogue.speech.spectra import mel_filters, power_spectra


@pytest.mark.parametrize(("bands", "rate", "window"), [(80, 16_000, 400), (40, 16_000, 400), (40, 8_000, 256)])
def test_mel_bands_are_slaneys(bands: int, rate: int, window: int) -> None:
    from transformers.audio_utils import mel_filter_bank

    expected = mel_filter_bank(
        num_frequency_bins=1 + window // 2,
        num_mel_filters=bands,
        min_frequency=0.0,
        max_frequency=rate / 2,
        sampling_rate=rate,
        norm="slaney",
        mel_scale="slaney",
    )
    np.testing.assert_allclose(mel_filters(bands, rate=rate, window=window), expected.T, atol=1e-7)


def test_a_tone_has_its_power_where_its_frequency_is() -> None:
    tone = np.cos(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    power = power_spectra(tone, window=400, hop=160, pad="reflect")
    assert power.shape == (101, 201)
    # 1000 Hz is bin 25; under a Hann window an amplitude of 1 is a quarter of the window's length.
    assert power[50].argmax() == 25
    assert power[50, 25] == pytest.approx(100**2, rel=1e-3)
