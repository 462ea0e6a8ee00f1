"""Bytes to rows and back, knowing no campus system; published layouts are data beside them."""
