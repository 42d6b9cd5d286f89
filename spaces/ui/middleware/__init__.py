"""What a page accepts from the network: sizes of heads and bodies, room for uploads, time for connections."""
