"""Why a key of the specification is not carried over, and what to do instead.

Keys are named by their path below a service, or from the top with the name left out. One that is
not here is not carried over either: it gets the general sentence.
"""

GENERAL = "Nothing on a canvas stands for this: it is left out."

_ENGINE = "This is a setting of the container engine, which the cluster's nodes have their own of."
_NETWORK = "Pods get their addresses and names from the cluster."
_OWNER = "The files belong to root, or to the group of the pod's volumes."
_DEVICES = "Devices of a node are given to pods by device plugins: ask for them on the cluster."
_UPDATE = "A rollout of Kubernetes has no such step."
_IMAGE = "The image says this itself: build it into the image."
_HOOK = "Nothing runs before or after the container here: put it into the entrypoint, or in a Job."
_LIMITS = "Kubernetes shares processors by requests and limits: use cpus."

OF_SERVICE = {
    "attach": "There is no terminal to attach to: read the pod's log.",
    "blkio_config": _ENGINE,
    "build": "Images are not built when a workflow deploys: build it and push it.",
    "cgroup": _ENGINE,
    "cgroup_parent": _ENGINE,
    "configs.gid": _OWNER,
    "configs.uid": _OWNER,
    "cpu_count": _LIMITS,
    "cpu_percent": _LIMITS,
    "cpu_rt_period": _ENGINE,
    "cpu_rt_runtime": _ENGINE,
    "cpu_shares": _LIMITS,
    "cpuset": _LIMITS,
    "credential_spec": _ENGINE,
    "deploy.endpoint_mode": "Write vip or dnsrr.",
    "deploy.placement.max_replicas_per_node": "The scheduler spreads the pods by itself.",
    "deploy.placement.preferences": "The scheduler spreads the pods by itself.",
    "deploy.resources.limits.pids": "The number of processes is limited on the cluster's nodes.",
    "deploy.resources.reservations.devices": _DEVICES,
    "deploy.resources.reservations.generic_resources": _DEVICES,
    "deploy.restart_policy": "Restarts wait longer and longer by themselves.",
    "deploy.restart_policy.delay": "Restarts wait longer and longer by themselves.",
    "deploy.restart_policy.max_attempts": "Pods that serve are restarted for ever.",
    "deploy.restart_policy.window": "Restarts wait longer and longer by themselves.",
    "deploy.rollback_config": "A rollback is started by a person, and runs like an update.",
    "deploy.update_config.delay": _UPDATE,
    "deploy.update_config.failure_action": _UPDATE,
    "deploy.update_config.max_failure_ratio": _UPDATE,
    "deploy.update_config.monitor": _UPDATE,
    "develop": "This is for work on one machine.",
    "device_cgroup_rules": _DEVICES,
    "devices": _DEVICES,
    "dns": _NETWORK,
    "dns_opt": _NETWORK,
    "dns_search": _NETWORK,
    "domainname": _NETWORK,
    "external_links": "Draw what it links to, or a Service with an external name.",
    "extra_hosts": "A pod's hosts file is not on the canvas: use a Service with an external name.",
    "gpus": _DEVICES,
    "group_add": "A process has one group here: write it as user, such as 1000:1000.",
    "healthcheck.interval": "There is no check that it belongs to.",
    "healthcheck.retries": "There is no check that it belongs to.",
    "healthcheck.timeout": "There is no check that it belongs to.",
    "init": "Signals go to the process itself: build an init into the image if it needs one.",
    "ipc": "Only a DaemonSet shares memory with its node.",
    "isolation": _ENGINE,
    "label_file": "Labels of a file are not read: write them as labels.",
    "logging": "The cluster collects what containers write to their output.",
    "mac_address": _NETWORK,
    "mem_swappiness": _ENGINE,
    "memswap_limit": "Pods have no swap.",
    "models": "Models are not run by Kubernetes itself: draw the server that runs them.",
    "network_mode": "Every pod has a network of its own, but for one with that of its node.",
    "networks": _NETWORK,
    "oom_kill_disable": _ENGINE,
    "oom_score_adj": "Kubernetes sets this from requests and limits.",
    "pid": "Only a DaemonSet sees the processes of its node.",
    "pids_limit": "The number of processes is limited on the cluster's nodes.",
    "post_start": _HOOK,
    "pre_start": _HOOK,
    "pre_stop": _HOOK,
    "pull_policy": "Kubernetes pulls always, never, or when the image is not there.",
    "pull_refresh_after": "Kubernetes pulls always, never, or when the image is not there.",
    "restart": "What deploy says of restarts goes over it.",
    "runtime": "A runtime class is not on the canvas.",
    "secrets.gid": _OWNER,
    "secrets.uid": _OWNER,
    "shm_size": "Shared memory is that of the node's default: 64 MiB.",
    "stdin_open": "There is no terminal to attach to.",
    "stop_signal": _IMAGE,
    "storage_opt": _ENGINE,
    "sysctls": "Kernel settings of a pod are not on the canvas.",
    "tty": "There is no terminal to attach to.",
    "ulimits": _ENGINE,
    "use_api_socket": "There is no engine to talk to inside a cluster.",
    "userns_mode": _ENGINE,
    "uts": _ENGINE,
    "volumes.bind": "There is no folder of the host.",
    "volumes.consistency": "A volume is consistent.",
    "volumes.image": "An image cannot be mounted.",
    "volumes.tmpfs": "There is no folder in memory.",
    "volumes.volume.labels": "Objects get their labels from the server.",
    "volumes.volume.nocopy": "A claim starts empty: nothing of the image is copied into it.",
    "volumes_from": "Name the other service's volumes here: claims can be mounted twice.",
    "working_dir": "The container begins in the image's own folder: build it into the image, or "
    "change into the folder in the command.",
}

OF_THE_REST = {
    "configs.labels": "Objects get their labels from the server.",
    "configs.template_driver": "The content is taken as it is.",
    "models": "Models are not run by Kubernetes itself: draw the server that runs them.",
    "networks": "All pods of a cluster reach each other: draw NetworkPolicies where they should "
    "not.",
    "secrets.driver": "The value is given when the workflow deploys.",
    "secrets.driver_opts": "The value is given when the workflow deploys.",
    "secrets.labels": "Objects get their labels from the server.",
    "secrets.template_driver": "The value is given when the workflow deploys.",
    "volumes.driver": "The storage class of the claim decides: choose one.",
    "volumes.driver_opts": "The storage class of the claim decides: choose one.",
    "volumes.labels": "Objects get their labels from the server.",
}
_UNUSED = {
    "configs": "No service uses this config: it is left out.",
    "secrets": "No service uses this secret: it is left out.",
    "volumes": "No service uses this volume: it is left out.",
}


def of_service(keys: tuple[str, ...]) -> str:
    """The reason for a path below a service; that of the nearest key above it counts, too."""
    return _nearest(OF_SERVICE, keys)


def of_resource(kind: str, keys: tuple[str, ...]) -> str:
    """The reason for a path below a named volume, network, config or secret."""
    if not keys and kind in _UNUSED:
        return _UNUSED[kind]
    return _nearest(OF_THE_REST, (kind, *keys))


def _nearest(reasons: dict[str, str], keys: tuple[str, ...]) -> str:
    for length in range(len(keys), 0, -1):
        if (reason := reasons.get(".".join(keys[:length]))) is not None:
            return reason
    return GENERAL
