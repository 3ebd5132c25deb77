"use strict";

// The stack of the Experience Showcase. CDKTF writes it down as JSON, which Terraform plans and applies.
//
// The pipeline says where it is synthesised for (ENVIRONMENT) and which images it is to run, by their digests
// (IMAGE_BACKEND, IMAGE_PROMETHEUS). Without them nothing is synthesised: an image by its tag may be another one tomorrow.

const { App, S3Backend, TerraformStack } = require("cdktf");

const CLUSTER = "experience-showcase";
const PORTS = { backend: 8080, prometheus: 9090 };

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

class Showcase extends TerraformStack {
  constructor(scope, name, { environment, account, region, images }) {
    super(scope, name);
    const backend = new S3Backend(this, {
      bucket: `experience-showcase-tfstate-${account}`,
      key: `${environment}/${name}.tfstate`,
      region,
      encrypt: true,
    });
    // CDKTF was archived before it knew this setting.
    backend.addOverride("use_lockfile", true);

    for (const [service, image] of Object.entries(images)) {
      const container = {
        name: service,
        image,
        essential: true,
        memory: 256,
        portMappings: [{ containerPort: PORTS[service] }],
      };
      // What a task definition of the AWS provider would be; the provider's own constructs are left out, so that the
      // example needs nothing but Terraform.
      this.addOverride(`resource.terraform_data.${service}`, {
        input: {
          cluster: CLUSTER,
          service,
          definition: JSON.stringify({ family: service, containerDefinitions: [container] }),
        },
      });
    }
  }
}

const app = new App();
new Showcase(app, "showcase", {
  environment: required("ENVIRONMENT"),
  account: "210987654321",
  region: "eu-central-1",
  images: { backend: required("IMAGE_BACKEND"), prometheus: required("IMAGE_PROMETHEUS") },
});
app.synth();
