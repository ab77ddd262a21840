"""Whatever model has a fault: what is withheld is what reads it, and nothing else."""

from __future__ import annotations

from types import SimpleNamespace

from loyalty.build.dbt_runner import Fault, _holds_everything, with_descendants
from worlds.warehouse import project


def _reached(parents: dict[str, list[str]], model: str) -> set[str]:
    """The models from which a walk upwards over `parents` comes to the model: the other way than the code goes."""
    knows: dict[str, bool] = {model: True}

    def reads(one: str) -> bool:
        if one not in knows:
            knows[one] = any(reads(parent) for parent in parents.get(one, []))
        return knows[one]

    return {one for one in parents if one.startswith("model.") and reads(one)}


def test_k1_a_fault_in_any_model_withholds_what_reads_it_and_no_more() -> None:
    manifest = project().writable_manifest().to_dict(omit_none=False)
    parents = manifest["parent_map"]
    children = SimpleNamespace(child_map=manifest["child_map"])
    models = [one for one in parents if one.startswith("model.")]
    assert len(models) > 300
    for model in models:
        lost = with_descendants(children, [Fault(model, "a fault")])
        assert set(lost) == _reached(parents, model), model
        assert set(lost.values()) == {"a fault"}


def test_k1_no_fault_of_one_topic_reaches_the_private_steps_of_another() -> None:
    """A fault in a mart or in a private step of a topic withholds marts of this topic only."""
    manifest = project().writable_manifest().to_dict(omit_none=False)
    parents, nodes = manifest["parent_map"], manifest["nodes"]
    for model, node in nodes.items():
        if model.startswith("model.") and node["fqn"][1] == "marts":
            topic = node["fqn"][2]
            beyond = {
                one
                for one in _reached(parents, model)
                if nodes[one]["fqn"][1] == "marts" and nodes[one]["fqn"][2] != topic
            }
            assert beyond == set(), model


def test_k1_only_totals_of_orders_hold_everything() -> None:
    grave = [node for node in project().nodes.values() if node.resource_type == "test" and _holds_everything(node)]
    assert {node.attached_node.rpartition(".")[2] for node in grave} == {
        "fct_customer_days",
        "fct_customer_order_days",
        "fct_order_lines",
        "fct_orders",
    }
    assert "customer_days_pools_reconcile" not in {node.name for node in grave}  # costs are one topic
