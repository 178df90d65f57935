import { describe, expect, test } from 'bun:test';
import { openApi } from '../../src/gateway/openapi.ts';
import { routes } from '../../src/gateway/table.ts';

interface Operation {
  operationId: string;
  summary: string;
  security?: unknown[];
  parameters?: { name: string; in: string; required: boolean; schema: object }[];
  requestBody?: { content: { 'application/json': { schema: object } } };
  responses: Record<string, { description: string; content: Record<string, { schema: object }> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}
// Through JSON, as a client gets it.
const document: Document = JSON.parse(JSON.stringify(openApi(routes, '1.2.3')));
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe('/openapi.json', () => {
  test('has every route of the table once, with its own id', () => {
    expect(operations.length).toBe(routes.length);
    expect(new Set(operations.map((o) => o.operation.operationId)).size).toBe(routes.length);
  });

  test('declares each parameter of a path, and no other', () => {
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1] ?? '');
      const declared = (operation.parameters ?? []).filter((p) => p.in === 'path').map((p) => p.name);
      expect([path, declared.toSorted()]).toEqual([path, named.toSorted()]);
    }
  });

  test('says how each call can fail', () => {
    for (const { path, operation } of operations) {
      const statuses = Object.keys(operation.responses);
      if (operation.security === undefined) expect([path, ...statuses]).toEqual(expect.arrayContaining(['401', '429']));
      if (operation.requestBody) expect([path, ...statuses]).toEqual(expect.arrayContaining(['400', '413', '415']));
    }
    expect(Object.keys(document.paths['/hooks/agent']?.['post']?.responses ?? {}).slice(0, 2)).toEqual(['200', '202']);
  });

  test('refers only to what it holds', () => {
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(Object.keys(document.components.schemas)).toContain(name ?? '');
    expect(text).not.toContain('"$schema"');
  });

  test('describes numbers in the query as numbers', () => {
    const limit = document.paths['/api/memory/search']?.['get']?.parameters?.find((p) => p.name === 'limit');
    expect(limit).toMatchObject({
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 100, default: 10 },
    });
  });
});
