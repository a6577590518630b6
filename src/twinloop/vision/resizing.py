"""The one way a picture comes to a model's size, in training and in service: what differs here would be a fault."""

from PIL import Image


def resize_image(picture: Image.Image, size: int) -> Image.Image:
    """`size` × `size` pixels by area average, bilinear where a side must grow; the aspect ratio is not kept."""
    if picture.size == (size, size):
        return picture
    enlarged = picture.width < size or picture.height < size
    return picture.resize((size, size), Image.Resampling.BILINEAR if enlarged else Image.Resampling.BOX)
