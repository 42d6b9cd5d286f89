"""The inference server: any target of `backends` turned inside out, in the dialects that platforms speak."""
