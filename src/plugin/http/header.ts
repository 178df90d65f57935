/**
 * Headers the host sets or that belong to the connection, and those with which a proxy says what was really asked for and by whom: a server that
 * believes them would answer another request than the one that was judged. A guest cannot choose them.
 */
const reserved =
  /^(host|connection|content-length|transfer-encoding|te|trailer|upgrade|keep-alive|expect|accept-encoding|proxy-.*|http2-settings|sec-.*|forwarded|x-forwarded-.*|x-original-.*|x-rewrite-.*|x-host|x-real-ip)$/;
/** Headers with another method than the request's own, which many servers take instead. */
const otherMethod = /^x-(http-)?method(-override)?$/;
/** What speaks about the connection or the packing, and is no longer true of what the guest gets. */
const dropped =
  /^(connection|transfer-encoding|keep-alive|upgrade|trailer|te|proxy-.*|content-encoding|content-length)$/;
/** Headers that prove who one is: they never follow a redirect to another origin. */
const credential = /^(authorization|cookie|.*(token|secret|key|auth|session|signature).*)$/;

const maxHeaders = 64;
const maxHeaderBytes = 16_384;

/** Why a guest's headers are refused, in words; undefined when they may be sent. */
export function refuseHeaders(headers: [string, string][]): string | undefined {
  if (headers.length > maxHeaders) return `more than ${maxHeaders} headers`;
  let size = 0;
  for (const [name, value] of headers) {
    size += name.length + value.length;
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return `the header name ${JSON.stringify(name.slice(0, 40))}`;
    if (reserved.test(name.toLowerCase())) return `the header ${name.toLowerCase()}, which is not for a plugin to set`;
    if (!isHeaderValue(value)) return `the value of the header ${name.toLowerCase()}`;
  }
  return size > maxHeaderBytes ? `headers of ${size} bytes` : undefined;
}

/** Whether a text can be one header's value: no line end, no control characters. */
export function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

/** The methods that headers ask for in the place of the request's own. */
export function otherMethods(headers: [string, string][]): string[] {
  return headers.filter(([name]) => otherMethod.test(name.toLowerCase())).map(([, value]) => value.trim());
}

/** Whether only a part of the answer is asked for. */
export function asksForPart(headers: [string, string][]): boolean {
  return headers.some(([name]) => name.toLowerCase() === 'range');
}

export function isCredential(name: string): boolean {
  return credential.test(name.toLowerCase());
}

/** A response's headers as a guest gets them. */
export function responseHeaders(headers: Headers, scrub: (text: string) => string): [string, string][] {
  return [...headers.entries()]
    .filter(([name]) => !dropped.test(name))
    .slice(0, 128)
    .map(([name, value]) => [scrub(name), scrub(value).slice(0, 8192)]);
}
