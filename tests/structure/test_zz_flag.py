from tests.structure.test_migrations import *
def test_flag(found):
    out=[]
    for t,tab in tables().items():
        d={c["name"] for c in found.get_columns(t) if c["default"] or c.get("identity")}
        out += [f"{t}.{c.name}" for c in tab.columns if c.name in d and not c.nullable and c.default is None and c.server_default is None]
    print("FLAG", sorted(out))
    assert 0
