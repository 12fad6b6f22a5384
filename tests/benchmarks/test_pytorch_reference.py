"""The PyTorch that dfv is timed against has the same networks and computes the same losses."""

import numpy as np
import pytest
import tensorflow as tf

from dfv.config.schema import Config
from dfv.model.disentangler import Disentangler
from dfv.model.triplet_batch import Noise, read

torch = pytest.importorskip("torch", reason="PyTorch is not installed; it comes with the extra `benchmark`")

from benchmarks.pytorch import networks, reference, weights  # noqa: E402

BATCH, STEPS = 6, 3
GENERATOR_TERMS = ("reconstruction", "swap_same", "kl")
TERMS = (*GENERATOR_TERMS, "swap_other", "prior_sample", "adversary_on_real", "adversary_on_fakes")
CASES = {
    "5x5": ((28, 28, 1), (5,), {"backbone": "three_5x5"}),
    "3x3": ((22, 20, 1), (5,), {"backbone": "six_3x3"}),
    "attributes": ((12, 15, 3), (5, 2, 4), {"backbone": "three_5x5", "adversary_labels": "attributes"}),
}


def both(case, reference):
    image_shape, label_sizes, flags = CASES[case]
    config = Config.of(
        widths=(4, 6, 8), adversary_widths=(3, 5, 7), s_dim=3, z_dim=5, batch_size=BATCH,
        swap_other_weight=0.3, prior_sample_weight=0.2, **flags,
    )  # fmt: skip
    model = Disentangler(config, image_shape, label_sizes)
    model.compile()
    for table in tf.nest.flatten(model.adversary.tables):
        table.assign(tf.random.stateless_normal(table.shape, (1, 2)))  # zero at the start: order would not matter
    plain = reference(config, image_shape, label_sizes[model.adversary_columns])
    weights.copy_to_pytorch(weights.all_pairs(model, plain))
    return model, plain


def same_noise(model, batch, step):
    noise = Noise(model.config.training.seed, tf.constant(step, tf.int64), read(batch), model.config.network.z_dim)
    values = noise.posterior(1), noise.prior()
    return reference.Noise(*(torch.from_numpy(value.numpy()) for value in values))


@pytest.mark.parametrize("case", CASES)
def test_fused_steps_have_the_same_networks_and_losses(case, triplet_batch):
    image_shape, label_sizes, _ = CASES[case]
    model, plain = both(case, reference.Fused)
    for name in ("encoder", "decoder", "adversary"):
        variables = getattr(model, name).trainable_variables
        assert networks.num_parameters(getattr(plain, name)) == sum(np.prod(v.shape) for v in variables)
    for step in range(STEPS):
        batch = triplet_batch(BATCH, image_shape, label_sizes, seed=step)
        noise = same_noise(model, batch, step)
        model.means.reset_state()
        terms = model.train_step({name: tf.constant(values) for name, values in batch.items()})
        torch_terms = plain.step(reference.Batch.of(batch, model.adversary_columns), noise)
        # The later steps show that both players' updates are the same too; in the adversary's, tiny gradients meet
        # Adam's epsilon, which the two frameworks place differently.
        for name in TERMS:
            tolerance = 1e-4 if step == 0 else 2e-5 if name in GENERATOR_TERMS else 1e-3
            assert torch_terms[name].item() == pytest.approx(float(terms[name]), abs=tolerance), (name, step)


def test_separate_passes_have_the_losses_of_a_plain_generator(triplet_batch):
    """Each image a batch of its own to BatchNorm; the adversary's turn comes after the generator's update."""
    image_shape, label_sizes, _ = CASES["5x5"]
    model, plain = both("5x5", reference.SeparatePasses)
    batch = triplet_batch(BATCH, image_shape, label_sizes)
    noise = same_noise(model, batch, 0)
    torch_terms = plain.step(reference.Batch.of(batch, model.adversary_columns), noise)

    triplet = read({name: tf.constant(values) for name, values in batch.items()})
    codes = [model.encoder(x, training=True) for x in (triplet.x1, triplet.x1_same, triplet.x2)]
    z1 = codes[0].z.mean + tf.exp(codes[0].z.log_var / 2) * noise.posterior.numpy()
    pairs = (z1, codes[0].s), (z1, codes[1].s), (z1, codes[2].s), (tf.constant(noise.prior.numpy()), codes[2].s)
    images = [model.decoder(z, s, training=True) for z, s in pairs]
    logits = [model.adversary(x, triplet.labels2, training=True) for x in images[2:]]
    expected = {
        "reconstruction": tf.reduce_mean((images[0] - triplet.x1) ** 2),
        "swap_same": tf.reduce_mean((images[1] - triplet.x1) ** 2),
        "swap_other": -tf.reduce_mean(tf.math.log_sigmoid(logits[0])),
        "prior_sample": -tf.reduce_mean(tf.math.log_sigmoid(logits[1])),
        "adversary_on_real": -tf.reduce_mean(
            tf.math.log_sigmoid(model.adversary(triplet.x2, triplet.labels2, training=True))
        ),
    }
    for name, value in expected.items():
        assert torch_terms[name].item() == pytest.approx(float(value), abs=1e-4), name
    before_the_update = float(tf.reduce_mean(tf.nn.softplus(logits[0])))
    assert torch_terms["adversary_on_fakes"].item() != pytest.approx(before_the_update, abs=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_weights_come_back_from_pytorch(case, triplet_batch):
    """After a step in PyTorch, dfv computes the same codes, images and logits with its moving statistics."""
    image_shape, label_sizes, _ = CASES[case]
    model, plain = both(case, reference.SeparatePasses)
    batch = triplet_batch(BATCH, image_shape, label_sizes)
    plain.step(reference.Batch.of(batch, model.adversary_columns), same_noise(model, batch, 0))
    weights.copy_to_dfv(weights.all_pairs(model, plain))

    for network in (plain.encoder, plain.decoder, plain.adversary):
        network.eval()
    torch_batch = reference.Batch.of(batch, model.adversary_columns)
    with torch.no_grad():
        s, mean, log_var = plain.encoder(reference.to_float(torch_batch.x1))
        images = plain.decoder(mean, s)
        logits = plain.adversary(images, torch_batch.labels2)
    triplet = read({name: tf.constant(values) for name, values in batch.items()})
    codes = model.encoder(triplet.x1)
    ours = model.decoder(codes.z.mean, codes.s)
    np.testing.assert_allclose(codes.s, s, atol=1e-5)
    np.testing.assert_allclose(codes.z.log_var, log_var, atol=1e-5)
    np.testing.assert_allclose(ours, images.numpy().transpose(0, 2, 3, 1)[:, ::-1, ::-1], atol=1e-5)
    labels = triplet.labels2[:, model.adversary_columns]
    np.testing.assert_allclose(model.adversary(ours, labels), logits, atol=1e-5)
