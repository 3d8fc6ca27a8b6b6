"""A small PyTorch net learns two new digits, with and without forgetting the others.

Run it with ``python examples/demo_net.py``; it takes half a minute and writes a store and a page to ``incumbent-demo``.
"""

from __future__ import annotations

import shutil

import incumbent
from demo import FOLDER, read_digits
from digits_net import fit_net

NAME, STORE = "digits-net", FOLDER / "store-net"


def main() -> None:
    """Run the demo."""
    shutil.rmtree(STORE, ignore_errors=True)
    rows, registry = read_digits(), incumbent.Registry(STORE)

    print("1. The live model is a net in PyTorch. It reads the digits 0 to 7")
    net = fit_net(rows.train.drop(columns="digit").to_numpy(), rows.train["digit"].to_numpy())
    gate = incumbent.Gate(tolerance=0.03)
    came = registry.init(NAME, net, rows.train, target="digit", anchor=rows.old, gate=gate)
    print(f"{NAME} version {came.version}, a {type(net).__name__} of examples/digits_net.py")

    unknown = rows.new[rows.new["digit"] >= 8]
    print(f"\n2. {len(unknown)} rows arrive, all of them 8 or 9. A dry run with plain fine-tuning:")
    print(registry.update(NAME, unknown, strategies="Incremental('adam', epochs=20)", dry_run=True))

    print("\n3. Strategies that keep the old digits: an exact new last layer, replay, dark experience replay")
    strategies = [
        "analytic",
        "chain(Replay(500), Incremental('adam', epochs=20))",
        "chain(DERpp(500), Incremental('adam', epochs=20))",
    ]
    outcome = registry.update(NAME, unknown, strategies=strategies, seed=0)
    print(outcome)
    print(f"\nReport: {outcome.report(FOLDER / 'net.html')}")


if __name__ == "__main__":
    main()
