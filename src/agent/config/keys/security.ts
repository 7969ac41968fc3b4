/** ACLs, certificates, encryption, the mesh. What this version cannot enforce is refused at start, never ignored. */
import { bool, duration, int, list, maybeBool, object, opaque, opaques, string } from '../schema.ts';

const noAcl = 'this version does not enforce ACLs yet';
const noTls = 'this version does not serve TLS on its own ports yet';
const token = (help: string) => string({ help, secret: true, reload: true });
const old = (name: string, key: string, refused?: string) =>
  string({
    help: `Old name of ${key}.`,
    ...(/token/.test(name) ? { secret: true as const } : {}),
    ...(refused ? { refused } : {}),
  });

export const security = {
  acl: object('Access control.', {
    enabled: bool({ help: 'Check every request against ACLs.', refused: noAcl }),
    default_policy: string({ help: 'What holds where no rule speaks: allow or deny.', refused: noAcl }, 'allow'),
    down_policy: string('What holds when the servers cannot be asked.', 'extend-cache'),
    token_ttl: duration('How long a token is cached.', '30s'),
    policy_ttl: duration('How long a policy is cached.', '30s'),
    role_ttl: duration('How long a role is cached; 0: 30s.'),
    disabled_ttl: duration('Kept from 1.10.', '120s'),
    enable_key_list_policy: bool('Listing keys needs `list`.'),
    enable_token_replication: bool('Replicate tokens to this datacenter.'),
    enable_token_persistence: bool('Keep tokens set by the API over restarts.'),
    msp_disable_bootstrap: bool({ help: 'Enterprise.', enterprise: true }),
    tokens: object('Tokens of the agent.', {
      default: token('For requests that carry none.'),
      agent: token("For the agent's own work."),
      agent_recovery: token('For the agent endpoints when the servers are gone.'),
      agent_master: token('Old name of agent_recovery.'),
      replication: token('For replication.'),
      initial_management: token('Made at bootstrap.'),
      master: token('Old name of initial_management.'),
      config_file_service_registration: token('For services of configuration files.'),
      dns: token('For DNS.'),
      managed_service_provider: opaques({ help: 'Enterprise.', enterprise: true }),
    }),
  }),
  acl_token: old('acl_token', 'acl.tokens.default'),
  acl_agent_token: old('acl_agent_token', 'acl.tokens.agent'),
  acl_agent_master_token: old('acl_agent_master_token', 'acl.tokens.agent_recovery'),
  acl_master_token: old('acl_master_token', 'acl.tokens.initial_management'),
  acl_replication_token: old('acl_replication_token', 'acl.tokens.replication'),
  acl_default_policy: old('acl_default_policy', 'acl.default_policy', noAcl),
  acl_down_policy: old('acl_down_policy', 'acl.down_policy'),
  acl_ttl: old('acl_ttl', 'acl.token_ttl'),
  acl_enable_key_list_policy: maybeBool('Old name of acl.enable_key_list_policy.'),
  enable_acl_replication: maybeBool('Old name of acl.enable_token_replication.'),
  acl_enforce_version_8: maybeBool({
    help: 'Gone.',
    deprecated: 'config key "acl_enforce_version_8" is deprecated and should be removed',
  }),
  default_intention_policy: string('What holds where no intention speaks. Default: acl.default_policy.'),
  connect: object('The mesh.', {
    enabled: maybeBool({ help: 'Intentions, identities and sidecars.', why: 'it is what heddle is for' }),
    ca_provider: string('Who signs: consul (the built-in CA).', 'consul'),
    ca_config: opaque('Settings of the CA; seeds the stored configuration once.'),
    ca_seal_key: string({
      help: 'Encrypts the key of the CA in the replicated state: 32 bytes in base64, the same on every server.',
      secret: true,
    }),
    enable_mesh_gateway_wan_federation: bool({
      help: 'Join datacenters through gateways.',
      refused: 'this version knows one datacenter',
    }),
  }),
  config_entries: object('Configuration entries.', {
    bootstrap: opaques({ help: 'Written where absent when a leader starts.' }),
  }),
  peering: object('Cluster peering.', { enabled: bool({ help: 'Offer peering.', inert: 'peering is not offered' }) }),
  encrypt: string({ help: 'Provides the gossip encryption key.', flag: 'encrypt', secret: true }),
  encrypt_verify_incoming: bool('Refuse gossip that is not encrypted.', true),
  encrypt_verify_outgoing: bool('Encrypt gossip that is sent.', true),
  server_name: string('Own name in TLS.'),
  ca_file: string({ help: 'Authorities of TLS.', refused: noTls }),
  ca_path: string({ help: 'Directory of authorities.', refused: noTls }),
  cert_file: string({ help: 'Own certificate.', refused: noTls }),
  key_file: string({ help: 'Own key.', refused: noTls, secret: true }),
  tls_min_version: string('Least version of TLS.', 'tls12'),
  tls_cipher_suites: string('Suites of TLS 1.2, separated by commas.'),
  tls_prefer_server_cipher_suites: bool('Kept from 1.10.'),
  verify_incoming: bool({ help: 'Ask clients for certificates.', refused: noTls }),
  verify_incoming_https: bool({ help: 'The same for HTTPS.', refused: noTls }),
  verify_incoming_rpc: bool({ help: 'The same between agents.', refused: noTls }),
  verify_outgoing: bool({ help: 'Use TLS towards others.', refused: noTls }),
  verify_server_hostname: bool({ help: 'Demand a server name in the certificate.', refused: noTls }),
  auto_encrypt: object('Certificates from the servers.', {
    tls: bool({ help: 'Ask for one (clients).', refused: noTls }),
    allow_tls: bool({ help: 'Give them (servers).', refused: noTls }),
    dns_san: list('Additional names.'),
    ip_san: list('Additional addresses.'),
  }),
  auto_config: object('Configuration from the servers.', {
    enabled: bool({ help: 'Ask for it.', refused: 'this version knows no auto_config' }),
    intro_token: string({ help: 'The token to introduce oneself.', secret: true }),
    intro_token_file: string('A file with it.'),
    server_addresses: list('Servers to ask.'),
    dns_sans: list('Additional names.'),
    ip_sans: list('Additional addresses.'),
    authorization: object('Who may ask (servers).', {
      enabled: bool({ help: 'Answer such requests.', refused: 'this version knows no auto_config' }),
      static: opaque('How tokens are judged.'),
    }),
  }),
};

/** Named by the reference, without meaning in its open edition or here. */
export const foreign = {
  non_voting_server: maybeBool({ help: 'Old name of read_replica.', flag: 'non-voting-server', enterprise: true }),
  read_replica: maybeBool({ help: 'A server that never votes (enterprise).', flag: 'read-replica', enterprise: true }),
  segment: string({ help: 'Network segment (enterprise).', flag: 'segment', enterprise: true }),
  segments: opaques({ help: 'Network segments (enterprise).', enterprise: true }),
  partition: string({ help: 'Admin partition (enterprise).', enterprise: true }),
  license_path: string({ help: 'A licence (enterprise).', enterprise: true }),
  audit: opaque({ help: 'Audit log (enterprise).', enterprise: true }),
  snapshot_agent: opaque('Read by another program.'),
  reporting: opaque('Of the reference.'),
  cloud: opaque('Of the reference.'),
  experiments: list('Of the reference.'),
  watches: opaques({
    help: 'Handlers run when something changes.',
    refused: 'this version runs no watch handlers: a program can wait for changes with ?index= and ?wait=',
  }),
  raft_boltdb: opaque('Of the reference: our log is its own segments.'),
  raft_logstore: opaque('Of the reference: our log is its own segments.'),
  raft_prevote_disabled: bool({ help: 'Elections without pre-vote.', inert: 'pre-vote is always on' }),
  xds: object('The feed of Envoy.', { update_max_per_second: int('Updates a second.', 250) }),
  locality: object('Where this node stands.', { region: string('Region.'), zone: string('Zone.') }),
  disable_kv_key_validation: bool('Accept any key.'),
  auto_reload_config: bool({
    help: 'Watches config files and reloads when one changes.',
    flag: 'auto-reload-config',
    refused: 'this version reloads on HUP only',
  }),
};
