#!/usr/bin/env bash
# Unpacks packages of Debian without installing them, which needs no root: `debian.sh LIST FOLDER`. What is started is in
# FOLDER/bin. The packages come from Debian's own archive, so that another Debian, or Ubuntu, will do.
set -euo pipefail
list=$(realpath "$1")
rm -rf "$2"
mkdir -p "$2"/{apt/lists/partial,apt/cache/archives/partial,bin}
cd "$2"
here=$PWD

# Who signed what does not matter: every package is known by its digest.
printf 'deb [arch=amd64 trusted=yes] http://deb.debian.org/debian bookworm main\n' >apt/sources.list
cat >apt/conf <<EOF
APT::Architecture "amd64";
APT::Sandbox::User "";
Dir::Etc::SourceList "$here/apt/sources.list";
Dir::Etc::SourceParts "-";
Dir::State::Lists "$here/apt/lists";
Dir::Cache "$here/apt/cache";
EOF
export APT_CONFIG=$here/apt/conf
apt-get -qq update
while read -r sum package; do
  (cd apt && apt-get -qq download "$package")
  deb=$(echo "apt/${package%%=*}"_*.deb)
  sha256sum --check --quiet <<<"$sum  $deb"
  dpkg-deb --extract "$deb" .
done <"$list"
rm -rf apt usr/share

for program in usr/bin/{containerd,containerd-shim-runc-v2,docker,docker-registry,packer} usr/sbin/runc; do
  ln -s "../$program" bin/
done
# Those that load libraries of the list, and start others of it.
for program in usr/bin/skopeo usr/sbin/dockerd; do
  cat >"bin/${program##*/}" <<EOF
#!/bin/sh
here=\$(dirname "\$(realpath "\$0")")/..
export PATH="\$here/bin:\$PATH" LD_LIBRARY_PATH="\$here/usr/lib/x86_64-linux-gnu:\$here/lib/x86_64-linux-gnu"
exec "\$here/$program" "\$@"
EOF
  chmod +x "bin/${program##*/}"
done
