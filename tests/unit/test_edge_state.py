"""What HAProxy's own words about a place behind the edge mean."""

import pytest

from aiinfra.edge_state import Server, servers_in

STATE = """1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight\
 srv_time_since_last_change srv_check_status srv_check_result srv_check_health\
 srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id\
 srv_fqdn srv_port srvrecord
4 mpc-api 1 mpc-api-1 172.22.0.2 2 {admin} 1 1 2 15 3 3 6 0 0 0 ai-infra-mpc-api-7 3000 -

# pxname,svname,qcur,qmax,scur,smax,status,check_status,check_code
mpc-api,FRONTEND,,,9,9,OPEN,,
mpc-api,mpc-api-1,1,1,4,9,{status},{check},200
mpc-api,BACKEND,0,0,4,9,UP,,
"""


def seen(admin: int, status: str, check: str) -> Server:
    (server,) = servers_in(STATE.format(admin=admin, status=status, check=check))
    return server


def test_a_place_has_a_name_an_address_and_requests_that_run_or_wait() -> None:
    server = seen(0, "UP", "L7OK")
    assert (server.path, server.name, server.address) == ("mpc-api/mpc-api-1", "ai-infra-mpc-api-7", "172.22.0.2")
    assert (server.state, server.serves, server.in_flight) == ("ready", True, 5)


@pytest.mark.parametrize(
    ("admin", "status", "check", "state", "serves"),
    [
        (68, "UP", "L7OK", "ready", True),  # its name came through the runtime API
        (0, "UP 1/3", "INI", "ready", False),  # HAProxy says UP before its first check
        (0, "UP 2/3", "L7TOUT", "ready", False),
        (0, "DOWN", "L4CON", "ready", False),
        (32, "MAINT (resolution)", "L7OK", "ready", False),
        (8, "DRAIN", "L7OK", "drain", False),
        (1, "MAINT", "L7OK", "maint", False),
        (5, "MAINT", "", "maint", False),
    ],
)
def test_only_what_takes_requests_and_passed_a_check_serves(
    admin: int, status: str, check: str, state: str, *, serves: bool
) -> None:
    server = seen(admin, status, check)
    assert (server.state, server.serves) == (state, serves)
