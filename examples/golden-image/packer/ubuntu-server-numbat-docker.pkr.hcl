packer {
  required_version = ">= 1.11.0"

  required_plugins {
    proxmox = {
      version = "= 1.2.2"
      source  = "github.com/hashicorp/proxmox"
    }
    ansible = {
      version = "= 1.1.3"
      source  = "github.com/hashicorp/ansible"
    }
  }
}

variable "version" {
  type        = string
  description = "The time of the build and its commit; the pipeline sets it."
  default     = "by-hand"
}

variable "proxmox_url" {
  type        = string
  description = "The API of the hypervisor: https://HOST:8006/api2/json."
}

variable "proxmox_username" {
  type        = string
  description = "A user of the hypervisor with its token's name: USER@REALM!TOKEN."
}

variable "proxmox_token" {
  type      = string
  sensitive = true
}

variable "ssh_password" {
  type        = string
  description = "The installer's password; the last step of the build locks it."
  sensitive   = true
}

variable "node" {
  type    = string
  default = "pve"
}

source "proxmox-iso" "ubuntu" {
  proxmox_url = var.proxmox_url
  username    = var.proxmox_username
  token       = var.proxmox_token
  node        = var.node

  template_name        = "ubuntu-numbat-docker-${var.version}"
  template_description = "Ubuntu Server 24.04 with Docker, nvm, mise and uv; version ${var.version}"
  tags                 = "golden;ubuntu;docker"

  boot_iso {
    iso_url          = "https://releases.ubuntu.com/24.04/ubuntu-24.04.2-live-server-amd64.iso"
    iso_checksum     = "file:https://releases.ubuntu.com/24.04/SHA256SUMS"
    iso_storage_pool = "local"
    unmount          = true
  }

  cores           = 2
  memory          = 4096
  os              = "l26"
  qemu_agent      = true
  scsi_controller = "virtio-scsi-single"

  disks {
    type         = "scsi"
    storage_pool = "local-lvm"
    disk_size    = "20G"
  }

  network_adapters {
    model  = "virtio"
    bridge = "vmbr0"
  }

  cloud_init              = true
  cloud_init_storage_pool = "local-lvm"

  http_content = {
    "/meta-data" = ""
    "/user-data" = templatefile("${path.root}/user-data.pkrtpl.hcl", { password = bcrypt(var.ssh_password) })
  }

  boot_wait = "10s"
  boot_command = [
    "c<wait>",
    "linux /casper/vmlinuz --- autoinstall ds='nocloud;s=http://{{ .HTTPIP }}:{{ .HTTPPort }}/'<enter><wait>",
    "initrd /casper/initrd<enter><wait>",
    "boot<enter>",
  ]

  ssh_username = "packer"
  ssh_password = var.ssh_password
  ssh_timeout  = "30m"
}

build {
  sources = ["source.proxmox-iso.ubuntu"]

  provisioner "ansible" {
    playbook_file = "ansible/playbooks/packer-provision.yml"
    user          = "packer"
    use_proxy     = false
  }

  # What the machine itself says that it holds: the pipeline compares it with what is expected.
  provisioner "shell" {
    script = "packer/software.sh"
  }

  provisioner "file" {
    direction   = "download"
    source      = "/tmp/packer-software.json"
    destination = "packer-software.json"
  }

  provisioner "shell" {
    inline = [
      "sudo cloud-init clean --logs --machine-id",
      "sudo rm -f /etc/ssh/ssh_host_* /tmp/packer-software.json",
      "sudo passwd --lock packer",
    ]
  }

  post-processor "manifest" {
    output = "packer-manifest.json"
  }
}
