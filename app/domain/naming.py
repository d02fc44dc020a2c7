"""How a Python field is spelled in the API: camelCase, with Kubernetes' own capitals."""

from pydantic.alias_generators import to_camel

_IRREGULAR = {
    "except_": "except",
    "host_ipc": "hostIPC",
    "host_pid": "hostPID",
    "linked_pvcs": "linkedPVCs",
    "load_balancer_ip": "loadBalancerIP",
    "target_cpu_utilization": "targetCPUUtilization",
    "target_memory_utilization": "targetMemoryUtilization",
}


def api_name(python_name: str) -> str:
    """The name of a field in GraphQL and in JSON Schema."""
    return _IRREGULAR.get(python_name) or to_camel(python_name)
