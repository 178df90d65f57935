/** An answer as the browser can take it: compressed where that saves something. */
export async function packed(request: Request, response: Response): Promise<Response> {
  if (!/\bgzip\b/.test(request.headers.get('accept-encoding') ?? '') || !response.body) return response;
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length < 1400) return new Response(bytes, response);
  const headers = new Headers(response.headers);
  headers.set('content-encoding', 'gzip');
  headers.append('vary', 'accept-encoding');
  return new Response(Bun.gzipSync(bytes, { level: 5 }), { status: response.status, headers });
}
