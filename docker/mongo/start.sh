#!/bin/bash
# Starts mongod as a replica set member with authentication. mongod insists on a key file that it owns and nobody else
# reads; the secret is mounted with the owner of the host's file, so it is copied to memory first.
set -euo pipefail
install -o mongodb -g mongodb -m 0400 /run/secrets/mongo_keyfile /run/mongo/keyfile
exec docker-entrypoint.sh mongod --replSet rs0 --keyFile /run/mongo/keyfile --bind_ip_all "$@"
