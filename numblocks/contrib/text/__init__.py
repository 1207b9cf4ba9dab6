"""Words as numbers and as vectors.

| module | what |
|---|---|
| `vocab` | Vocabulary: words and their numbers |
| `embedding` | word vectors from files: GloVe, fastText, your own |
| `utils` | counting words |

>>> counter = utils.count_tokens_from_str('the cat and the dog')
>>> vocab.Vocabulary(counter).to_indices(['the', 'bird'])
[1, 0]
"""

from . import embedding, utils, vocab

__all__ = ["embedding", "utils", "vocab"]
