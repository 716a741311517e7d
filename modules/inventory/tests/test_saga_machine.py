"""Hypothesis plays orders and payments against inventory, with stock that does not suffice for all.

What both publish is put on two wires, one per source, each in its order; inventory is told from
either at any moment, sometimes twice, sometimes everything again. Orders answers what inventory
publishes, sooner or later. In the end orders and inventory must agree on every order.
"""


from hypothesis import strategies as st

quantities = st.dictionaries(st.sampled_from(["CUP", "TEA"]), st.integers(1, 3), min_size=1)
