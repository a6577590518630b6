"""Generic configuration machinery: settings, composition, digest, declared sections. It knows no twin."""

from twinloop.config.schema import Invalid, parse, parse_file, settings

__all__ = ["Invalid", "parse", "parse_file", "settings"]
