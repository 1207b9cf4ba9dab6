"""Gluon's public module of this name: word vectors.

>>> get_pretrained_file_names('glove')[2]
'glove.6B.100d.txt'
"""

from .files import CompositeEmbedding, CustomEmbedding
from .pretrained import FastText, GloVe
from .token import TokenEmbedding, _TokenEmbedding, create, get_pretrained_file_names, register

__all__ = [
    "CompositeEmbedding", "CustomEmbedding", "FastText", "GloVe", "TokenEmbedding", "_TokenEmbedding", "create",
    "get_pretrained_file_names", "register",
]  # fmt: skip
