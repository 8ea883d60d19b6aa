#!/bin/bash -eu
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs once in every guest's own file system, before it boots: its name, its keys and its secrets.
# Environment: GUEST_NAME, GUEST_ADDRESS, OPERATOR_KEY (the operator's public key).

echo "$GUEST_NAME" >/etc/hostname
cat >/etc/hosts <<END
127.0.0.1 localhost storagebox.test
127.0.1.1 $GUEST_NAME
$GUEST_ADDRESS $GUEST_NAME.test
END
tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id

ssh-keygen -q -t ed25519 -N '' -C "$GUEST_NAME" -f /etc/ssh/ssh_host_ed25519_key
install -d -o haadmin -g haadmin -m 0700 /home/haadmin/.ssh
echo "$OPERATOR_KEY" >/home/haadmin/.ssh/authorized_keys
chown haadmin:haadmin /home/haadmin/.ssh/authorized_keys

# the storage box's client is root, its server the guest's own sshd
install -d -m 0700 /root/.ssh
ssh-keygen -q -t ed25519 -N '' -C storagebox -f /root/.ssh/storagebox
install -d -o storagebox -g storagebox -m 0700 /home/storagebox/.ssh
install -o storagebox -g storagebox -m 0600 /root/.ssh/storagebox.pub /home/storagebox/.ssh/authorized_keys
echo "storagebox.test $(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)" >/root/.ssh/known_hosts

# the authority that Caddy's certificates come from; the host trusts it, whoever else shall is given its certificate
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=Authority of $GUEST_NAME" \
    -addext 'keyUsage=critical,keyCertSign,cRLSign' -keyout /etc/caddy/authority.key -out /etc/caddy/authority.crt 2>/dev/null
chown root:caddy /etc/caddy/authority.key
chmod 0640 /etc/caddy/authority.key
ln -s /etc/caddy/authority.crt "/etc/ssl/certs/$(openssl x509 -noout -hash -in /etc/caddy/authority.crt).0"
cat /etc/caddy/authority.crt >>/etc/ssl/certs/ca-certificates.crt
sed -i "s/@ADDRESS@/$GUEST_ADDRESS/; s/@NAME@/$GUEST_NAME.test/" /etc/caddy/Caddyfile

password=$(openssl rand -hex 16)
/run/guest/write_backend_env.sh "$password" "$(openssl rand -hex 24)"
# a single-user server needs no boot; it is the one that the guest will start
echo "ALTER ROLE healtharchive PASSWORD '$password'" |
    runuser -u postgres -- /usr/lib/postgresql/15/bin/postgres --single -j \
        -D /var/lib/postgresql/15/main -c config_file=/etc/postgresql/15/main/postgresql.conf healtharchive >/dev/null
