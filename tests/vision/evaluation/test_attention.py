import pytest
import torch
from timm.models.swin_transformer import SwinTransformerBlock
from timm.utils.attention_extract import AttentionExtract

from twinloop.vision.evaluation.attention import attention_rollout, has_attention, through_windows, unmerged
from twinloop.vision.models.detector import Detector
from twinloop.vision.models.settings import ModelSettings

SWIN = {"encoder": "swin_tiny_patch4_window7_224", "width": 8, "depths": (2, 2), "heads": (1, 2)}
VIT = {"encoder": "vit_tiny_patch16_224", "width": 16, "depths": (3,), "heads": (2,), "patch_px": 8}


def detector(size: int = 56, **encoder: object) -> Detector:
    torch.manual_seed(0)
    settings = ModelSettings(size_px=size, decoder_width=8, **encoder)  # type: ignore[arg-type]
    return Detector(settings, classes=("good", "crack"), size=size, channels=1).eval()


@pytest.mark.parametrize(("side", "shift"), [(8, 0), (8, 2), (6, 0), (6, 2)], ids=str)
def test_undone_windows_give_what_the_block_really_mixed(side: int, shift: int) -> None:
    # With values and projection the identity, a block's output is its attention times its input: with the shares r
    # of the outputs, r · output must be (what r is made of) · input, wherever windows were shifted or padded.
    torch.manual_seed(side + shift)
    block = SwinTransformerBlock(8, (side, side), num_heads=1, window_size=4, shift_size=shift).eval()
    with torch.no_grad():
        block.attn.qkv.weight[:16] *= 20
        block.attn.qkv.weight[16:] = torch.eye(8)
        block.attn.qkv.bias.zero_()
        block.attn.proj.weight.copy_(torch.eye(8))
        block.attn.proj.bias.zero_()
    seen = []
    block.attn.attn_drop.register_forward_hook(lambda *call: seen.append(call[-1]))
    images, shares = torch.randn(3, side, side, 8), torch.rand(3, side, side)
    with torch.no_grad():
        mixed = block._attn(images)
    passed = through_windows(shares, seen[0].mean(dim=1), window=block.window_size, shift=block.shift_size)
    attended = 2 * passed - shares  # without the half that went round by the skip connection
    expected, found = (
        (weights[..., None] * values).sum((1, 2)) for weights, values in ((shares, mixed), (attended, images))
    )
    assert found == pytest.approx(expected.numpy(), abs=1e-4)


def test_merged_tokens_share_alike_and_a_border_without_partner_keeps_the_sum() -> None:
    coarse = torch.tensor([[[0.6, 0.4]]])
    assert unmerged(coarse, (2, 4)).tolist()[0][0] == pytest.approx([0.15, 0.15, 0.1, 0.1])
    assert unmerged(coarse, (1, 3)).sum() == pytest.approx(1)
    assert unmerged(coarse, (1, 2)) is coarse


def test_rollout_of_a_vit_is_the_product_of_its_layers() -> None:
    model, images = detector(64, **VIT), torch.rand(2, 1, 64, 64)
    with torch.inference_mode():
        layers = AttentionExtract(model.encoder.unfuse(), method="hook")((images - model.mean) / model.std)
    assert len(layers) == 3
    product = torch.eye(65).expand(2, 65, 65)
    for weights in layers.values():
        product = (weights.mean(dim=1) + torch.eye(65)) / 2 @ product
    expected = product[:, 1:, 1:].mean(dim=1)  # one class token, then 8 × 8 patches
    found = attention_rollout(model, images).flatten(1)
    assert found == pytest.approx((expected / expected.sum(dim=1, keepdim=True)).numpy(), abs=1e-6)


@pytest.mark.parametrize(("size", "encoder", "side"), [(56, SWIN, 14), (48, SWIN, 12), (64, VIT, 8)])
def test_rollout_shares_out_every_image_and_follows_its_content(
    size: int, encoder: dict[str, object], side: int
) -> None:
    model = detector(size, **encoder)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "qkv.weight" in name:
                weights *= 30  # untrained attention is almost even
    images = torch.rand(2, 1, size, size)
    found = attention_rollout(model, images)
    assert found.shape == (2, side, side)
    assert found.sum(dim=(1, 2)).tolist() == pytest.approx([1, 1])
    assert not torch.allclose(found[0], found[1], atol=1e-6)
    again = attention_rollout(model, images.flip(0))
    assert torch.allclose(again.flip(0), found, atol=1e-6)


def test_convolutional_encoders_have_no_attention_to_roll_out() -> None:
    assert has_attention(detector(**SWIN).encoder)
    assert not has_attention(detector(encoder="resnet10t", width=4).encoder)
