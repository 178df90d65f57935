import * as v from 'valibot';

/**
 * The shapes of text in px.yaml. The message of each says what it should be, as it stands after "expected": errors, `px config
 * explain` and the reference show it.
 */

/** Name of a plugin or channel. */
export const name = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9-]{0,62}$/, 'a name of small letters, digits and dashes that starts with a letter'),
);

/** Where an alias leads. */
export const aliasTarget = v.pipe(v.string(), v.regex(/^\S+$/, 'a model as `provider/model`, or another alias'));

/** Models a price is for. */
export const modelPattern = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9-]*\/\S+$/, 'a model as `provider/model`, or `provider/*`'),
);

/** A credential is only ever a reference, so that px.yaml can be shown to others. `check.ts` refuses anything else. */
export const reference = {
  pattern: /^secret:[A-Za-z_][A-Za-z0-9_.-]*$|\$\{[^}]+\}/,
  expected: 'a reference, `secret:NAME` or `${NAME}`',
};

/** The address of a server; `${NAME}` may stand in it. */
export const serverUrl = v.pipe(
  v.string(),
  v.regex(/^(?:https?:\/\/[^\s/?#@]+|\$\{[^}]+\})[^\s?#]*$/, 'an address like `https://api.example.com/v1`'),
);

/** A browser's Origin. */
export const origin = v.pipe(
  v.string(),
  v.regex(/^https?:\/\/[^\s/?#@*]+$/, 'an origin as `https://host:port`, without a path'),
);

/** An address or host name to listen on. */
export const listenHost = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$|^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/, 'an address or a host name like `127.0.0.1`'),
);

/** A user's id on a platform. Numbers are written without quotes by most people. */
export const platformId = v.union([
  v.pipe(v.string(), v.regex(/^\S+$/, "a user's id on the platform")),
  v.pipe(v.number(), v.integer(), v.transform(String)),
]);

/** Names of tools, with `*` for any part. */
export const toolPattern = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_*-]{1,64}$/, "a tool's name, `*` for any part of it"),
);

const label = '[A-Za-z0-9_-]+';
const hostName = String.raw`(?:\*\.${label}(?:\.${label})+|${label}(?:\.${label})*|\[[0-9A-Fa-f:.]+\])`;

/** What `policy/` reads as an egress rule; what is wrong beyond the shape is told there. */
export const egressRule = v.pipe(
  v.string(),
  v.regex(
    new RegExp(
      String.raw`^(?:(?:\*|[A-Za-z]+(?:,[A-Za-z]+)*)\s+)?(?:https?|wss?)://(?:\*|${hostName})(?::\d{1,5})?(?:/[^\s?#]*)?$`,
    ),
    'a rule like `GET,POST https://api.example.com/v1/`',
  ),
);

/** `host:port`. */
export const hostPort = v.pipe(
  v.string(),
  v.regex(/^(?:[^\s/?#@:*[\]]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/, 'a `host:port` like `192.168.1.20:8080`'),
);

/** How a plugin calls a folder it is granted. */
export const folderName = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9_-]{0,31}$/, 'a short name of small letters, digits, `_` and `-`'),
);

/** What `policy/` reads as the grant of a folder. */
export const folderRule = v.pipe(
  v.string(),
  v.regex(
    /^(?:read|write) (?:~\/|\/)(?!(?:.*\/)?\.\.(?:\/|$)).*\S$/,
    'a folder like `read ~/notes` or `write /srv/work`',
  ),
);

/** Name of a secret. */
export const secretName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/, 'a name of letters, digits and `_` like `TELEGRAM_TOKEN`'),
);

/** Places of a request a secret may stand in, before the URL it may go to. */
const secretPlace = String.raw`(?:header(?::[A-Za-z0-9-]+)?|bearer|basic|query(?::[\w.~-]+)?|path|body(?::[\w.-]+)?)`;

/** Where a secret may be sent. The host has to be complete: `https://api.example.com` alone would also begin other hosts. */
export const secretTarget = v.pipe(
  v.string(),
  v.regex(
    new RegExp(
      String.raw`^(?:${secretPlace}(?:,${secretPlace})*\s+)?(?:https?|wss?)://(?:(?:\*\.)?[^\s/?#@:*[\]]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?/[^\s?#]*$`,
    ),
    'places and a URL up to a part of its path, like `bearer https://api.example.com/`',
  ),
);

/** The name of a function a plugin exports. */
export const functionName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'the name of an exported function'),
);

/** When something is done, as cron has it: minute, hour, day, month, weekday. */
export const cronTime = v.pipe(
  v.string(),
  v.regex(/^[\d*/,A-Za-z-]+(?: [\d*/,A-Za-z#L-]+){4}$/, 'five fields as cron has them, like `*/10 * * * *`'),
);

/** The host of an OCI registry as it stands in front of a package's name, with a port that is not the usual one. */
export const registryHost = v.pipe(
  v.string(),
  v.regex(
    /^(?:localhost|\[::1\]|[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::\d{1,5})?$/,
    'a host like `ghcr.io` or `localhost:5000`',
  ),
);

/** A public key, and after it whose it is. */
export const publicKey = v.pipe(
  v.string(),
  v.regex(/^ed25519:[A-Za-z0-9+/]{43}=(?: .{0,100})?$/, 'a key as `px plugin keygen` prints it: `ed25519:…`'),
);
