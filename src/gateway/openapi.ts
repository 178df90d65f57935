import { type ConversionConfig, toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { OpenAiError } from './openai/reply.ts';
import type { Params, Route, Schema } from './route.ts';
import { errorReply } from './schema.ts';

const meaning: Record<number, string> = {
  400: 'The request is malformed.',
  401: 'The token or code is missing or wrong.',
  402: 'A spending cap would be passed; nothing was called.',
  403: 'The request comes from a place that may not ask.',
  404: 'What was named does not exist.',
  405: 'The path exists, but not with this method.',
  406: 'The client takes no JSON.',
  409: 'It conflicts with the state px is in.',
  413: 'The body is larger than gateway.max_body_bytes.',
  415: 'The body is not JSON.',
  422: 'It was understood and could not be done.',
  429: 'Too many failed attempts, or the provider asks to slow down; see Retry-After.',
  500: 'A fault in px itself.',
  502: 'A provider or plugin failed.',
  503: 'px or a provider cannot do it now.',
  504: 'It took longer than its limit.',
};

/** The route table as an OpenAPI 3.1 document. */
export function openApi(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'px',
      version,
      description:
        'The HTTP interface of a px gateway. The live events of /api/events (WebSocket) are described in docs/gateway.md.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://127.0.0.1:7979' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'The content of state/token.' } },
      schemas: { Error: schemaOf(errorReply), OpenAiError: schemaOf(OpenAiError) },
    },
  };
}

function operation(route: Route): object {
  const parameters = [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')];
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(route.auth === 'none' ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: { required: true, content: { 'application/json': { schema: schemaOf(route.body, 'input') } } },
        }),
    responses: {
      [route.status ?? 200]: good(route),
      ...(route.later ? { 202: good(route, 'Taken. The answer comes later.') } : {}),
      ...failures(route),
    },
  };
}

function good(route: Route, description = 'Done.'): object {
  return {
    description,
    content: {
      'application/json': { schema: schemaOf(route.reply) },
      ...(route.events === undefined
        ? {}
        : { 'text/event-stream': { schema: { type: 'string', description: route.events } } }),
    },
  };
}

function failures(route: Route): Record<number, object> {
  const statuses = new Set([
    403,
    500,
    ...(route.params || route.query || route.body ? [400, 404] : []),
    ...(route.body ? [413, 415] : []),
    ...(route.auth !== 'none' || route.path === '/api/session' ? [401, 429] : []),
    ...(route.errors ?? []),
  ]);
  const schema = { $ref: `#/components/schemas/${route.shape === 'openai' ? 'OpenAiError' : 'Error'}` };
  return Object.fromEntries(
    [...statuses]
      .sort((a, b) => a - b)
      .map((status) => [
        status,
        {
          description: meaning[status] ?? 'It failed.',
          ...(status === 429
            ? { headers: { 'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' } } } }
            : {}),
          content: { 'application/json': { schema } },
        },
      ]),
  );
}

function parametersOf(params: Params | undefined, place: 'path' | 'query'): object[] {
  return Object.entries(params?.entries ?? {}).map(([name, entry]) => {
    const schema: Record<string, unknown> = schemaOf(entry as v.GenericSchema, 'input');
    const { description, ...rest } = schema;
    return {
      name,
      in: place,
      required: place === 'path' || !('wrapped' in entry),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

function operationId(route: Route): string {
  const words = route.path.split(/[^A-Za-z0-9]+/).filter(Boolean);
  return [route.method.toLowerCase(), ...words]
    .map((w, i) => (i === 0 ? w : `${w[0]?.toUpperCase()}${w.slice(1)}`))
    .join('');
}

function schemaOf(schema: Schema, typeMode: 'input' | 'output' = 'output'): Record<string, unknown> {
  const config: ConversionConfig = { errorMode: 'ignore', typeMode };
  const { $schema: _, ...rest } = toJsonSchema(schema, config);
  return rest;
}
