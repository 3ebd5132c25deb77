"""Deployments to ECS as they take their course: moto's services know no rollout, and no service deployments.

Nothing here happens by the clock. A deployment that UpdateService begins is the primary one and IN_PROGRESS, and every
look at its service (DescribeServices, ListServiceDeployments) brings it nearer to the end that a test has chosen for it:

    completes  after so many looks it is COMPLETED and the only one
    fails      after so many looks its tasks have failed too often. Then the service's circuit breaker decides: with
               rollback, the revision that was stable last becomes primary again, by a deployment with an id of its
               own, which ends as a test has chosen, too; without rollback, the deployment is FAILED and stays;
               without a circuit breaker, it never ends
    never      it stays IN_PROGRESS

What no test has chosen completes at the first look. StopServiceDeployment takes back what is IN_PROGRESS. The first
deployment, CreateService's, is complete at once.
"""

import itertools

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ecs.exceptions import ECSException
from moto.ecs.models import EC2ContainerServiceBackend as Backend
from moto.ecs.responses import EC2ContainerServiceResponse as Answers

plans = []  # (end, looks) of the deployments to come, in their order
numbers = itertools.count(1000000000000000001)


class ServiceDeployment:
    """What ECS keeps of a deployment for longer than the service shows it; a reversal is part of what it reverses."""

    def __init__(self, service):
        self.service = service
        self.status = "IN_PROGRESS"
        self.arn = service.arn.replace(":service/", ":service-deployment/") + f"/{next(numbers)}"
        self.created_at = utcnow()

    def begins(self, revision, reverses=False):
        """A deployment of this revision, now the primary one."""
        self.end, self.looks = plans.pop(0) if plans else ("completes", 1)
        self.reverses = reverses
        service, now = self.service, utcnow()
        self.shown = {
            "id": f"ecs-svc/{next(numbers)}",
            "status": "PRIMARY",
            "taskDefinition": revision,
            "desiredCount": service.desired_count,
            "pendingCount": service.desired_count,
            "runningCount": 0,
            "failedTasks": 0,
            "createdAt": now,
            "updatedAt": now,
            "launchType": service.launch_type,
        }
        self.is_now("IN_PROGRESS", "in progress")
        for other in service.deployments:
            other["status"] = "ACTIVE"
        service.deployments.insert(0, self.shown)
        service.task_definition = revision

    def is_now(self, state, reason):
        self.shown |= {"rolloutState": state, "rolloutStateReason": f"ECS deployment {self.shown['id']} {reason}."}
        text = f"(service {self.service.name}) deployment {self.shown['id']} {reason}."
        self.service.events.insert(0, {"id": str(next(numbers)), "createdAt": utcnow(), "message": text})

    def looked_at(self):
        if self.end == "never" or self.shown["rolloutState"] != "IN_PROGRESS":
            return
        self.looks -= 1
        if self.looks > 0:
            return
        breaker = (self.service.deployment_configuration or {}).get("deploymentCircuitBreaker", {})
        if self.end == "completes":
            self.completes()
        elif self.end == "stopped" or (breaker.get("enable") and breaker.get("rollback") and not self.reverses):
            self.fails("failed")
            self.goes_back()
        elif breaker.get("enable"):
            self.fails("failed: tasks failed to start")
            self.status = "ROLLBACK_FAILED" if self.reverses else "STOPPED"

    def completes(self):
        service = self.service
        self.shown |= {"runningCount": service.desired_count, "pendingCount": 0}
        self.is_now("COMPLETED", "completed")
        self.status = "ROLLBACK_SUCCESSFUL" if self.reverses else "SUCCESSFUL"
        service.deployments = [self.shown]
        service.stable = self.shown["taskDefinition"]

    def fails(self, reason):
        self.shown |= {"failedTasks": 3}
        self.is_now("FAILED", reason)

    def goes_back(self):
        if self.service.stable is None:
            self.status = "ROLLBACK_FAILED"
        else:
            self.status = "ROLLBACK_IN_PROGRESS"
            self.begins(self.service.stable, reverses=True)

    def stops(self):
        if self.status not in ("PENDING", "IN_PROGRESS"):
            raise ECSException("ConflictException", "The service deployment cannot be stopped.")
        self.status = "ROLLBACK_REQUESTED"
        self.end, self.looks = "stopped", 1


def rolls_out(service):
    return service is not None and hasattr(service, "history")


def look(answers, name):
    """A look at a service by name or ARN, which may not be there."""
    cluster = answers._get_param("cluster", "default").rpartition("/")[2]
    service = answers.ecs_backend.services.get(f"{cluster}:{name.rpartition('/')[2]}")
    if rolls_out(service) and service.history:
        service.history[0].looked_at()
    return service


create_service = Answers.create_service
update_service = Backend.update_service
describe_services = Answers.describe_services
register_task_definition = Backend.register_task_definition


def created(self):
    result = create_service(self)
    service = result.result["service"]
    service.deployment_configuration = self._get_param("deploymentConfiguration")
    service.running_count, service.pending_count = service.desired_count, 0
    if service.deployments:
        service.history = []
        service.stable = service.task_definition
        count = {"runningCount": service.desired_count, "pendingCount": 0}
        service.deployments[0] |= {"rolloutState": "COMPLETED", "rolloutStateReason": "ECS deployment completed.", **count}
    return result


def updated(self, service_properties):
    forced = service_properties.pop("force_new_deployment", False)
    name, cluster = service_properties["service"], service_properties.get("cluster", "default")
    before = self._get_service(cluster, name).task_definition
    service = update_service(self, service_properties)
    # moto keeps the name that it was given.
    service.task_definition = self.describe_task_definition(service.task_definition).arn
    if rolls_out(service) and (forced or service.task_definition != before):
        for running in service.history[:1]:
            if running.shown["rolloutState"] == "IN_PROGRESS":
                running.status = "STOPPED"
        service.history.insert(0, ServiceDeployment(service))
        service.history[0].begins(service.task_definition)
    return service


def described(self):
    for name in self._get_param("services", []):
        look(self, name)
    return describe_services(self)


def listed(self):
    service = look(self, self._get_param("service"))
    if not rolls_out(service):
        raise ECSException("ServiceNotFoundException", "Service not found.")
    wanted = self._get_param("status")
    found = [
        {
            "serviceDeploymentArn": one.arn,
            "serviceArn": service.arn,
            "clusterArn": service.cluster_arn,
            "createdAt": one.created_at,
            "status": one.status,
        }
        for one in service.history
        if not wanted or one.status in wanted
    ]
    return ActionResult({"serviceDeployments": found})


def stopped(self):
    arn = self._get_param("serviceDeploymentArn")
    for service in self.ecs_backend.services.values():
        for one in getattr(service, "history", []):
            if one.arn == arn:
                one.stops()
                return ActionResult({"serviceDeploymentArn": arn})
    raise ECSException("ServiceDeploymentNotFoundException", "The service deployment was not found.")


def revisions(self):
    """moto takes no order and no limit."""
    found = self.ecs_backend.list_task_definitions(self._get_param("familyPrefix"), self._get_param("status", "ACTIVE"))
    found.sort(key=lambda arn: int(arn.rpartition(":")[2]), reverse=self._get_param("sort") == "DESC")
    return ActionResult({"taskDefinitionArns": found[: self._get_param("maxResults")]})


def registered(self, *arguments, **named):
    revision = register_task_definition(self, *arguments, **named)
    revision.registered_at = utcnow()
    return revision


Answers.create_service = created
Answers.describe_services = described
Answers.list_service_deployments = listed
Answers.stop_service_deployment = stopped
Answers.list_task_definitions = revisions
Backend.update_service = updated
Backend.register_task_definition = registered
