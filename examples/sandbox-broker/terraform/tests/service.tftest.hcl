run "names_follow_account_and_region" {
  command = plan

  assert {
    condition     = output.repository_url == "905418046272.dkr.ecr.eu-central-1.amazonaws.com/sandbox-broker-api"
    error_message = "The image is pushed somewhere else."
  }

  assert {
    condition     = output.cluster_arn == "arn:aws:ecs:eu-central-1:905418046272:cluster/sandbox-broker-cluster"
    error_message = "The service runs somewhere else."
  }
}

run "the_service_is_told_its_sandboxes" {
  variables {
    sandboxes = ["one", "two"]
  }

  assert {
    condition     = terraform_data.service.output.environment.SANDBOXES == "one,two"
    error_message = "The broker would hand out other sandboxes."
  }
}

run "an_account_id_has_twelve_digits" {
  command = plan

  variables {
    account_id = "123"
  }

  expect_failures = [var.account_id]
}

run "two_sandboxes_do_not_share_a_name" {
  command = plan

  variables {
    sandboxes = ["one", "one"]
  }

  expect_failures = [var.sandboxes]
}

run "a_broker_needs_a_sandbox" {
  command = plan

  variables {
    sandboxes = []
  }

  expect_failures = [terraform_data.service]
}
