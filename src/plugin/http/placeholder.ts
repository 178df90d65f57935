/** `{{secret:NAME}}`, the only thing a guest ever sees of a secret. */
const placeholder = /\{\{secret:([A-Za-z_][A-Za-z0-9_.-]{0,127})\}\}/g;

/** Names of the secrets a text asks for. */
export function secretsIn(text: string): string[] {
  return [...text.matchAll(placeholder)].map((match) => match[1] ?? '');
}

/** Placeholders as they stand after an author's `URLSearchParams` has escaped them, in plain form again. */
export function plainPlaceholders(text: string): string {
  return text.replace(/%7B%7Bsecret(?:%3A|:)([A-Za-z_][A-Za-z0-9_.-]{0,127})%7D%7D/gi, '{{secret:$1}}');
}

/** The text with each placeholder replaced. */
export function fill(text: string, value: (name: string) => string): string {
  return text.replace(placeholder, (_, name: string) => value(name));
}

/** A placeholder for each reference in a setting: `secret:NAME` as the whole text, `${NAME}` anywhere in it. */
export function toPlaceholders(text: string): string {
  const whole = /^secret:([A-Za-z_][A-Za-z0-9_.-]{0,127})$/.exec(text);
  if (whole) return `{{secret:${whole[1]}}}`;
  return text.replace(/\$\{([A-Za-z_][A-Za-z0-9_.-]{0,127})\}/g, '{{secret:$1}}');
}

/** A value as a URL may carry it in path or query: what has a meaning in a URL is escaped; `:` and the like stay readable. */
export function urlSafe(value: string): string {
  return encodeURIComponent(value).replace(/%3A|%40|%2C|%3B|%3D|%24/gi, (hex) => decodeURIComponent(hex));
}
