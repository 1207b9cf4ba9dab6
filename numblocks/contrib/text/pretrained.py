"""GloVe and fastText: published word vectors, read from local files or fetched."""

from __future__ import annotations

import os
from pathlib import Path

from ... import nd
from ...gluon.download import fetch_member
from .files import checked_vocabulary
from .token import TokenEmbedding, register

_MIRROR = "https://apache-mxnet.s3-accelerate.dualstack.amazonaws.com/gluon/embeddings/"


class _Published(TokenEmbedding):
    """Vectors in a zip file that one of `addresses` has; `{archive}` in these stands for its name."""

    addresses: tuple[str, ...] = ()
    checksums: dict[str, str] = {}  # SHA-1 of archives, where known

    def __init__(self, name, root, init_unknown_vec, vocabulary, **kwargs):
        super().__init__(**kwargs)
        kind = type(self).__name__
        if name not in self.files:
            near = ", ".join(self.files[:12]) + (" ..." if len(self.files) > 12 else "")
            raise KeyError(
                f"{kind}: Cannot find pretrained file {name}. The files are {near}; text.embedding."
                f"get_pretrained_file_names({kind.lower()!r}) lists all. To read another one, use CustomEmbedding."
            )
        if vocabulary is not None:
            checked_vocabulary(kind, vocabulary)
        home = os.environ.get("MXNET_HOME") or os.path.join("~", ".mxnet")
        root = Path(os.path.join(home, "embeddings") if root is None else root).expanduser()
        archive = self.archive(name)
        urls = [address.format(archive=archive) for address in self.addresses]
        path = fetch_member(kind, urls, root / kind.lower() / name, archive, self.checksums.get(archive))
        self._load(path, " ", init_unknown_vec, "utf8", vocabulary)

    @staticmethod
    def archive(name: str) -> str:
        """The zip file that holds the file."""
        return f"{name.rpartition('.')[0]}.zip"


@register
class GloVe(_Published):
    """Word vectors of Stanford (J. Pennington, R. Socher, C. Manning, GloVe: Global Vectors for Word Representation,
    2014).

    The file is read from `<embedding_root>/glove/`; if it is not there, the archive that holds it is fetched. The
    numbers in a name tell of the text (6 billion words) and of the length of the vectors (50).

    Licence of the vectors: Open Data Commons Public Domain Dedication and Licence 1.0.

    Args:
        pretrained_file_name: one of `get_pretrained_file_names('glove')`.
        embedding_root: the folder; None for `embeddings` in MXNET_HOME or `~/.mxnet`.
        init_unknown_vec: makes the vector of unknown words, called with `shape=`.
        vocabulary: take only the words of this Vocabulary, in its order.
        kwargs: `unknown_token`, and others of Vocabulary.

    Raises:
        KeyError: an unknown file name.
        OSError: the file is missing and cannot be fetched.

    >>> GloVe('glove.6B.50d.txt').vec_len                                   # doctest: +SKIP
    50
    """

    files = (
        "glove.42B.300d.txt", "glove.6B.50d.txt", "glove.6B.100d.txt", "glove.6B.200d.txt", "glove.6B.300d.txt",
        "glove.840B.300d.txt", "glove.twitter.27B.25d.txt", "glove.twitter.27B.50d.txt", "glove.twitter.27B.100d.txt",
        "glove.twitter.27B.200d.txt",
    )  # fmt: skip
    addresses = (_MIRROR + "glove/{archive}", "https://nlp.stanford.edu/data/{archive}")
    checksums = {
        "glove.42B.300d.zip": "f8e722b39578f776927465b71b231bae2ae8776a",
        "glove.6B.zip": "b64e54f1877d2f735bdd000c1d7d771e25c7dfdc",
        "glove.840B.300d.zip": "8084fbacc2dee3b1fd1ca4cc534cbfff3519ed0d",
        "glove.twitter.27B.zip": "dce69c404025a8312c323197347695e81fd529fc",
    }

    def __init__(
        self, pretrained_file_name="glove.840B.300d.txt", embedding_root=None, init_unknown_vec=nd.zeros,
        vocabulary=None, **kwargs,
    ):  # fmt: skip
        super().__init__(pretrained_file_name, embedding_root, init_unknown_vec, vocabulary, **kwargs)

    @staticmethod
    def archive(name: str) -> str:
        """The zip file that holds the file: those of the 6 and 27 billion words hold several."""
        several = next((text for text in ("glove.6B", "glove.twitter.27B") if name.startswith(text)), None)
        return f"{several or name.removesuffix('.txt')}.zip"


# the Wikipedias by which fastText's files are named; `multi` are vectors of several languages in one space
_LANGUAGES = """
aa ab ace ady af ak als am ang an arc ar arz ast as av ay azb az bar bat_smg ba bcl be bg bh bi bjn bm bn bo bpy br bs
bug bxr ca cbk_zam cdo ceb ce cho chr ch chy ckb co crh cr csb cs cu cv cy da de diq dsb dv dz ee el eml en eo es et eu
ext fa ff fiu_vro fi fj fo frp frr fr fur fy gag gan ga gd glk gl gn gom got gu gv hak ha haw he hif hi ho hr hsb ht hu
hy hz ia id ie ig ii ik ilo io is it iu jam ja jbo jv kaa kab ka kbd kg ki kj kk kl km kn koi ko krc kr ksh ks ku kv kw
ky lad la lbe lb lez lg lij li lmo ln lo lrc ltg lt lv mai map_bms mdf mg mhr mh min mi mk ml mn mo mrj mr ms mt
multi.ar multi.bg multi.ca multi.cs multi.da multi.de multi.el multi.en multi.es multi.et multi.fi multi.fr multi.he
multi.hr multi.hu multi.id multi.it multi.mk multi.nl multi.no multi.pl multi.pt multi.ro multi.ru multi.sk multi.sl
multi.sv multi.tr multi.uk multi.vi mus mwl my myv mzn nah nap na nds_nl nds ne new ng nl nn no nov nrm nso nv ny oc olo
om or os pag pam pap pa pcd pdc pfl pih pi pl pms pnb pnt ps pt qu rm rmy rn roa_rup roa_tara ro rue ru rw sah sa scn
sco sc sd se sg sh simple si sk sl sm sn so sq srn sr ss stq st su sv sw szl ta tcy tet te tg th ti tk tl tn to tpi tr
ts tt tum tw ty tyv udm ug uk ur uz vec vep ve vi vls vo war wa wo wuu xal xh xmf yi yo za zea zh_classical zh_min_nan
zh zh_yue zu
""".split()


@register
class FastText(_Published):
    """Word vectors of 294 languages, trained on their Wikipedias (P. Bojanowski, E. Grave, A. Joulin, T. Mikolov,
    arXiv:1607.04606).

    The file is read from `<embedding_root>/fasttext/`; if it is not there, its archive is fetched.

    Licence of the vectors: CC BY-SA 3.0.

    Args:
        pretrained_file_name: one of `get_pretrained_file_names('fasttext')`.
        embedding_root: the folder; None for `embeddings` in MXNET_HOME or `~/.mxnet`.
        init_unknown_vec: makes the vector of unknown words, called with `shape=`.
        vocabulary: take only the words of this Vocabulary, in its order.
        kwargs: `unknown_token`, and others of Vocabulary.

    Raises:
        KeyError: an unknown file name.
        OSError: the file is missing and cannot be fetched.

    >>> FastText('wiki.simple.vec').vec_len                                 # doctest: +SKIP
    300
    """

    files = (
        "crawl-300d-2M.vec", *(f"wiki.{language}.vec" for language in _LANGUAGES), "wiki-news-300d-1M-subword.vec",
        "wiki-news-300d-1M.vec",
    )  # fmt: skip
    addresses = (_MIRROR + "fasttext/{archive}",)
    checksums = {"crawl-300d-2M.zip": "bb40313d15837ceecc1e879bc954e9be04b17c3c"}

    def __init__(
        self, pretrained_file_name="wiki.simple.vec", embedding_root=None, init_unknown_vec=nd.zeros,
        vocabulary=None, **kwargs,
    ):  # fmt: skip
        super().__init__(pretrained_file_name, embedding_root, init_unknown_vec, vocabulary, **kwargs)
