#cloud-config
autoinstall:
  version: 1
  identity:
    hostname: golden
    username: packer
    password: "${password}"
  ssh:
    install-server: true
    allow-pw: true
  packages: [qemu-guest-agent]
  late-commands:
    - echo 'packer ALL=(ALL) NOPASSWD:ALL' >/target/etc/sudoers.d/packer
