"""The Kubernetes form: each object as the API has it, and the parts fit together."""

from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from components.settings import load
from tests.deploy.image import named, variables

DEPLOY = Path(__file__).parents[2] / "deploy"
OBJECTS = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
KUSTOMIZATION = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())
VERSION = "1.34"


def checked(thing):
    return kubernetes_validate.validate(thing, VERSION, strict=True)


def of_kind(*kinds):
    return [each for each in OBJECTS if each["kind"] in kinds]


WORKLOADS = of_kind("StatefulSet", "Deployment")
CONTAINERS = [
    container for each in WORKLOADS for container in each["spec"]["template"]["spec"]["containers"]
]


def of_name(name):
    [found] = [each for each in CONTAINERS if each["name"] == name]
    return found


@pytest.mark.parametrize("thing", OBJECTS, ids=lambda each: f"{each['kind']} {each['metadata']}")
def test_an_object_is_one_that_the_api_takes(thing):
    checked(thing)


def test_the_check_of_objects_knows_a_word_that_does_not_exist():
    with pytest.raises(kubernetes_validate.ValidationError):
        checked({**of_kind("Service")[0], "specs": {}})


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda each: each["name"])
def test_a_container_has_no_more_rights_than_it_needs(container):
    rights = container["securityContext"]

    assert rights["readOnlyRootFilesystem"]
    assert not rights["allowPrivilegeEscalation"]
    assert rights["capabilities"] == {"drop": ["ALL"]}


def test_the_app_is_asked_where_the_image_serves_it_and_has_its_user():
    [port] = [each["containerPort"] for each in of_name("app")["ports"]]
    [user] = named("USER")
    [app] = of_kind("StatefulSet")
    pod = app["spec"]["template"]["spec"]

    assert port == int(variables()["GRADIO_SERVER_PORT"])
    assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == (
        user.rest
    )


def test_the_settings_can_be_used_and_leave_time_for_calls_to_end():
    [made] = [each for each in KUSTOMIZATION["configMapGenerator"] if "literals" in each]
    given = dict(literal.split("=", 1) for literal in made["literals"])
    settings = load(
        [], {**variables(), **given, "TURN_CREDENTIAL": "secret"}, Path("there-is-no-such-file")
    )
    [app] = of_kind("StatefulSet")

    assert settings.drain_seconds < app["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    [redis] = [each for each in of_kind("Service") if each["metadata"]["name"] == "redis"]
    assert settings.replica_storage == f"redis://redis:{redis['spec']['ports'][0]['port']}"


def test_nginx_finds_each_replica_by_a_service_of_its_own():
    services = {each["metadata"]["name"]: each["spec"] for each in of_kind("Service")}
    [app] = of_kind("StatefulSet")
    pods = [f"app-{number}" for number in range(app["spec"]["replicas"])]
    template = (DEPLOY / "nginx.conf.template").read_text()

    for name, pod in zip(("app-a", "app-b"), pods, strict=True):
        assert services[name]["selector"] == {"statefulset.kubernetes.io/pod-name": pod}
        # The cluster tells every pod of its services by such variables.
        assert f"${{{name.upper().replace('-', '_')}_SERVICE_HOST}}" in template


def test_the_files_that_are_mounted_are_those_of_this_folder():
    [made] = [each for each in KUSTOMIZATION["configMapGenerator"] if "files" in each]
    mounted = [
        mount["subPath"]
        for container in CONTAINERS
        for mount in container.get("volumeMounts", ())
        if "subPath" in mount
    ]

    assert sorted(mounted) == sorted(made["files"])
    assert all((DEPLOY / name).is_file() for name in made["files"])
