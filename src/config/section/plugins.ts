import * as v from 'valibot';
import {
  cronTime,
  egressRule,
  folderName,
  folderRule,
  functionName,
  hostPort,
  name,
  publicKey,
  registryHost,
  secretName,
  secretTarget,
} from './text.ts';

/** What a plugin is allowed, and nothing else. */
const grants = v.strictObject({
  egress: v.optional(
    v.pipe(
      v.array(egressRule),
      v.description(
        'Requests the plugin may make, one rule a line: `GET,POST https://api.example.com/v1/`. `*.example.com` matches subdomains, not the name itself; the path is a prefix; no methods means GET, `*` means all. A WebSocket is one of its own: `wss://gateway.example.com/`.',
      ),
    ),
    [],
  ),
  private_hosts: v.optional(
    v.pipe(
      v.array(hostPort),
      v.description('`host:port` on your own network or this machine that egress rules may reach.'),
    ),
    [],
  ),
  secrets: v.optional(
    v.pipe(
      v.record(secretName, v.array(secretTarget)),
      v.description(
        'Secrets by name, and where each may go: places of the request (`header`, `header:NAME`, `bearer`, `basic`, `query`, `query:NAME`, `path`, `body`, `body:FIELD`; none means any) and a URL prefix: `TELEGRAM_TOKEN: ["path https://api.telegram.org/bot"]`.',
      ),
    ),
    {},
  ),
  files: v.optional(
    v.pipe(
      v.record(folderName, folderRule),
      v.description(
        'Folders by the name the plugin calls them, and whether it may only `read` or also `write` there: `notes: read ~/notes`. Links and hidden names in them are never reached, nor is the home of px.',
      ),
    ),
    {},
  ),
  schedule: v.optional(
    v.pipe(
      v.record(functionName, cronTime),
      v.description('Functions px calls by the clock, without arguments: `refresh: "*/10 * * * *"`.'),
    ),
    {},
  ),
});

/** Most requests a minute where px.yaml says nothing. A connector serves many chats, and its platform has limits of its own. */
export const requestsPerMinute = { plugin: 120, connector: 12_000 };

/** The longest time a timer can be set to, in ms: 24 days. */
const longestMs = 2_147_483_647;
/** The bounds of one plugin. Every default is stated here and nowhere else. */
const limits = v.strictObject({
  memory_mb: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.maxValue(2048),
      v.description('All linear memories together, in MiB.'),
    ),
    64,
  ),
  cpu_ms: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(10),
      v.maxValue(longestMs),
      v.description('Guest time of one call, in ms; waiting for the host does not count.'),
    ),
    5_000,
  ),
  wall_ms: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(10),
      v.maxValue(longestMs),
      v.description('Whole time of one call, in ms.'),
    ),
    60_000,
  ),
  idle_ms: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(0),
      v.maxValue(longestMs),
      v.description('How long an unused plugin process stays, in ms.'),
    ),
    20_000,
  ),
  kv_bytes: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(0), v.description('Stored keys and values together, in bytes.')),
    1_048_576,
  ),
  http_bytes: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1024),
      v.description('Largest response body or WebSocket message, in bytes.'),
    ),
    4_194_304,
  ),
  http_per_minute: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.description(
        `Most requests a minute. Left out: ${requestsPerMinute.plugin}, of a connector ${requestsPerMinute.connector}.`,
      ),
    ),
  ),
  calls_per_minute: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.description('Most calls of its functions a minute, whoever calls; more are refused.'),
    ),
    60_000,
  ),
  host_calls: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.description('Most calls of the host (store, log, requests …) in one call; a process that makes more is ended.'),
    ),
    20_000,
  ),
  log_per_minute: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.description('Most log lines a minute; more are counted, not kept.'),
    ),
    300,
  ),
  file_bytes: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1024),
      v.description('Largest file written, and most bytes of a file read at once.'),
    ),
    1_048_576,
  ),
  folder_files: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.description('Most files and folders a granted folder may hold for the plugin to add one.'),
    ),
    10_000,
  ),
  folder_bytes: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1024),
      v.description('Most bytes a granted folder may hold for the plugin to add some.'),
    ),
    268_435_456,
  ),
  output_bytes: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1024), v.description('Largest result of one call, in bytes.')),
    1_048_576,
  ),
});

/** One entry of `plugins:`. */
const plugin = v.strictObject({
  enabled: v.optional(v.pipe(v.boolean(), v.description('False: the plugin stays installed and is never run.')), true),
  settings: v.optional(
    v.pipe(
      v.record(v.string(), v.unknown()),
      v.description(
        'What the plugin reads with `config-get`. `secret:NAME` and `${NAME}` reach it as placeholders only.',
      ),
    ),
    {},
  ),
  grants: v.optional(v.pipe(grants, v.description('What the plugin may reach.')), {}),
  limits: v.optional(v.pipe(limits, v.description('The bounds of the plugin.')), {}),
});

/** `plugins:` by plugin name. */
export const plugins = v.record(name, plugin);

/** `sandbox:` how a plugin's process is locked. */
export const sandbox = v.strictObject({
  mode: v.optional(
    v.pipe(
      v.picklist(['required', 'best-effort']),
      v.description(
        '`required` refuses to run plugins where the kernel has no seccomp; `best-effort` runs them with Wasm, caps and limits only.',
      ),
    ),
    'required',
  ),
});

/** `registries:` by host, as who px reads packages that are not for anybody. */
export const registries = v.record(
  registryHost,
  v.strictObject({
    user: v.pipe(v.string(), v.minLength(1), v.description('The user name.')),
    password: v.pipe(
      v.string(),
      v.minLength(1),
      v.description('`secret:NAME` or `${NAME}`: the password, or the token the registry gives for one.'),
    ),
  }),
);

/** `trust:` whose plugins are taken. */
export const trust = v.strictObject({
  keys: v.optional(
    v.pipe(
      v.array(publicKey),
      v.description('Public keys whose signatures of plugins are trusted: `ed25519:…`, and a word on whose it is.'),
    ),
    [],
  ),
  require: v.optional(
    v.pipe(
      v.boolean(),
      v.description('True: a plugin without a signature by one of these keys is not installed, nor run.'),
    ),
    false,
  ),
});
