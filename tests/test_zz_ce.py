import pytest
from activities.records.case_event import CaseEvent
from activities.records.base import new_id
from tests import make
def test_x(parts):
    make.clinics(parts)
    with parts.sessions.begin(make.LARKMOOR) as s:
        s.add(CaseEvent(tenant="larkmoor", case_id=new_id(), step_key="p", step="x", stage="", at=make.NOW, actor="a", facts={}, result={}))
