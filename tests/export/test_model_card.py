"""What a model card says."""

from export import model_card


def test_the_card_says_what_it_is(exported):
    text = (exported / "model_card.md").read_text()
    swap = "| `swap` | `image_s` [N, 13, 10, 1] uint8: 0 to 255<br>`image_z`"
    data = "`toy_sprites` at 13 x 10 x 1"
    for words in ("# tiny, version 1", data, "7 identities", "--s_dim=5", "at most 4096", swap, "no terms to keep"):
        assert words in text, words
    assert "--data_dir" not in text


def test_the_card_gives_table_1(exported, model):
    leak = {"mean": 0.004, "standard_error": 0.003}
    strongest = {"kind": "linear", "train": 0.5, "test": 0.96, "spread": 0.001, "chance": 0.964, "leak": leak}
    table = {"predicts": "the identity", "codes": {"z_mean": {"strongest": strongest}}}
    text = model_card.of(model, "tiny", exported, {"run": {"split": "test"}, "table1": table})
    assert (
        "| z, mean | 96.00 ± 0.10 | 96.4 | 0.4 ± 0.3 (zero) |" in text and "predicts the identity; `test` split" in text
    )
