/** Who this agent is, where it listens, whom it joins. */
import { bool, duration, int, list, map, maybeBool, object, string } from '../schema.ts';

const wan = 'this version has no mesh gateways';

export const identity = {
  data_dir: string({ help: 'Path to a data directory to store agent state.', flag: 'data-dir' }),
  datacenter: string({ help: 'Datacenter of the agent.', flag: 'datacenter' }, 'dc1'),
  primary_datacenter: string({ help: 'The datacenter that is authoritative for intentions, CA and ACLs.' }),
  acl_datacenter: string({
    help: 'Old name of primary_datacenter.',
    deprecated: "The 'acl_datacenter' field is deprecated. Use the 'primary_datacenter' field instead.",
  }),
  node_name: string({
    help: 'Name of this node. Must be unique in the cluster. Default: the host name.',
    flag: 'node',
  }),
  node_id: string({
    help: 'A unique ID for this node across space and time. Default: made once and kept in the data directory.',
    flag: 'node-id',
  }),
  node_meta: map({
    help: 'An arbitrary metadata key/value pair for this node, of the format `key:value`. Can be specified multiple times.',
    flag: 'node-meta',
    reload: true,
  }),
  server: bool({ help: 'Switches agent to server mode.', flag: 'server' }),
  bootstrap: bool({ help: 'Sets server to bootstrap mode: it may elect itself leader.', flag: 'bootstrap' }),
  bootstrap_expect: int({
    help: 'Number of servers to wait for before the first election.',
    flag: 'bootstrap-expect',
  }),
  bind_addr: string(
    { help: 'Sets the bind address for cluster communication. An IP or a template.', flag: 'bind' },
    '0.0.0.0',
  ),
  client_addr: string(
    {
      help: 'Sets the addresses to bind for client access (HTTP, HTTPS, gRPC, DNS), separated by blanks.',
      flag: 'client',
      why: 'only this machine may ask unless somebody decides otherwise',
    },
    '127.0.0.1',
  ),
  advertise_addr: string({ help: 'Sets the advertise address to use.', flag: 'advertise' }),
  advertise_addr_wan: string({
    help: 'Sets address to advertise on WAN instead of -advertise.',
    flag: 'advertise-wan',
  }),
  advertise_addr_ipv4: string('IPv4 address for tagged address lan_ipv4.'),
  advertise_addr_ipv6: string('IPv6 address for tagged address lan_ipv6.'),
  advertise_addr_wan_ipv4: string('IPv4 address for tagged address wan_ipv4.'),
  advertise_addr_wan_ipv6: string('IPv6 address for tagged address wan_ipv6.'),
  addresses: object('Addresses of single listeners, instead of client_addr.', {
    dns: string('DNS.'),
    http: string('HTTP; `unix:///path` for a socket.'),
    https: string('HTTPS; `unix:///path` for a socket.'),
    grpc: string('gRPC; `unix:///path` for a socket.'),
  }),
  ports: object('Ports; -1 turns a listener off.', {
    dns: int({ help: 'DNS port to use.', flag: 'dns-port' }, 8600),
    http: int({ help: 'Sets the HTTP API port to listen on.', flag: 'http-port' }, 8500),
    https: int(
      {
        help: 'Sets the HTTPS API port to listen on.',
        flag: 'https-port',
        refused: 'this version does not serve HTTPS',
      },
      -1,
    ),
    grpc: int({ help: 'Sets the gRPC API port to listen on.', flag: 'grpc-port' }, -1),
    server: int({ help: 'Sets the server port to listen on.', flag: 'server-port' }, 8300),
    serf_lan: int({ help: 'Sets the Serf LAN port to listen on.', flag: 'serf-lan-port' }, 8301),
    serf_wan: int({ help: 'Sets the Serf WAN port to listen on.', flag: 'serf-wan-port' }, 8302),
    proxy_min_port: int(
      { help: 'Kept from the oldest form of managed proxies.', inert: 'sidecars use sidecar_min_port' },
      20000,
    ),
    proxy_max_port: int(
      { help: 'Kept from the oldest form of managed proxies.', inert: 'sidecars use sidecar_max_port' },
      20255,
    ),
    sidecar_min_port: int('First port given to sidecars that ask for none.', 21000),
    sidecar_max_port: int('Last port given to sidecars.', 21255),
    expose_min_port: int('First port for exposed checks.', 21500),
    expose_max_port: int('Last port for exposed checks.', 21755),
  }),
  serf_lan: string({ help: 'Address to bind Serf LAN listeners to.', flag: 'serf-lan-bind' }),
  serf_wan: string({ help: 'Address to bind Serf WAN listeners to.', flag: 'serf-wan-bind' }),
  serf_lan_allowed_cidrs: list({
    help: 'Networks (eg: 192.168.1.0/24) allowed for Serf LAN. Can be specified multiple times.',
    flag: 'serf-lan-allowed-cidrs',
  }),
  serf_wan_allowed_cidrs: list({
    help: 'Networks (eg: 192.168.1.0/24) allowed for Serf WAN. Can be specified multiple times.',
    flag: 'serf-wan-allowed-cidrs',
  }),
  retry_join: list({
    help: 'Address of an agent to join at start time with retries enabled. Can be specified multiple times.',
    flag: 'retry-join',
  }),
  retry_join_wan: list({
    help: 'Address of an agent to join -wan at start time with retries enabled. Can be specified multiple times.',
    flag: 'retry-join-wan',
  }),
  retry_interval: duration(
    { help: 'Time to wait between join attempts; the first ones follow faster.', flag: 'retry-interval' },
    '30s',
  ),
  retry_interval_wan: duration({ help: 'Time to wait between join -wan attempts.', flag: 'retry-interval-wan' }, '30s'),
  retry_max: int({ help: 'Maximum number of join attempts. 0: forever.', flag: 'retry-max' }),
  retry_max_wan: int({ help: 'Maximum number of join -wan attempts. 0: forever.', flag: 'retry-max-wan' }),
  start_join: list({
    help: 'Address of an agent to join at start time. Can be specified multiple times.',
    flag: 'join',
  }),
  start_join_wan: list({
    help: 'Address of an agent to join -wan at start time. Can be specified multiple times.',
    flag: 'join-wan',
  }),
  rejoin_after_leave: bool({ help: 'Ignores a previous leave and attempts to rejoin the cluster.', flag: 'rejoin' }),
  leave_on_terminate: maybeBool('Leave gracefully on TERM. Default: true on clients, false on servers.'),
  skip_leave_on_interrupt: maybeBool('Do not leave on INT. Default: true on servers, false on clients.'),
  server_rejoin_age_max: duration(
    { help: 'A server that was away for longer does not start with its old data.', unit: 'at least 6h' },
    '168h',
  ),
  reconnect_timeout: duration({ help: 'How long a failed member is remembered; 0: 72h.', unit: 'at least 8h' }),
  reconnect_timeout_wan: duration('The same for the WAN pool.'),
  advertise_reconnect_timeout: duration('A client asks to be forgotten earlier than others.'),
  primary_gateways: list({
    help: 'Address of a mesh gateway in the primary datacenter. Can be specified multiple times.',
    flag: 'primary-gateway',
    refused: wan,
  }),
  primary_gateways_interval: duration('How often the primary gateways are looked for.', '30s'),
  translate_wan_addrs: bool('Answer with WAN addresses to other datacenters.'),
  tagged_addresses: map('Additional addresses of this node.'),
  disable_host_node_id: bool(
    {
      help: 'Setting this to true will prevent using information from the host to make the node ID.',
      flag: 'disable-host-node-id',
    },
    true,
  ),
  disable_coordinates: bool('Do not compute network coordinates.'),
  disable_remote_exec: bool('Do not run commands sent by `exec`.', true),
  disable_update_check: bool({ help: 'Do not ask for newer versions.', inert: 'heddle never calls home' }),
  disable_anonymous_signature: bool({ help: 'No anonymous signature.', inert: 'heddle never calls home' }),
  disable_keyring_file: bool({
    help: 'Disables the backing up of the keyring to a file.',
    flag: 'disable-keyring-file',
  }),
  disable_http_unprintable_char_filter: bool('Accept non-printable characters in paths.'),
  protocol: int({ help: 'Sets the protocol version.', flag: 'protocol', min: 2, max: 3 }, 2),
  raft_protocol: int({ help: 'Sets the Raft protocol version.', flag: 'raft-protocol' }, 3),
};
