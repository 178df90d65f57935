import type { PluginConfig } from '../config/config.ts';
import type { RunnerOptions } from './runner.ts';

type RunLimits = ReturnType<RunnerOptions['limits']>;

/** What a plugin's process is held to, from what px.yaml says. */
export function runLimits(limits: PluginConfig['limits']): RunLimits {
  return {
    memoryMb: limits.memory_mb,
    cpuMs: limits.cpu_ms,
    wallMs: limits.wall_ms,
    idleMs: limits.idle_ms,
    outputBytes: limits.output_bytes,
    hostCalls: limits.host_calls,
    bodyBytes: Math.max(limits.http_bytes, limits.kv_bytes, limits.file_bytes),
  };
}

/** How far a plugin that is looked at may go beyond its limits because it asks to. */
const most = { memoryMb: 512, cpuMs: 30_000, wallMs: 60_000 };

/** The limits a plugin is looked at under: those it asks for, within reason. Whether it gets them is decided later. */
export function lookLimits(limits: RunLimits, asked: Record<string, number>): RunLimits {
  const raised = (now: number, wanted: number | undefined, at: number) => Math.max(now, Math.min(wanted ?? 0, at));
  return {
    ...limits,
    memoryMb: raised(limits.memoryMb, asked['memory_mb'], most.memoryMb),
    cpuMs: raised(limits.cpuMs, asked['cpu_ms'], most.cpuMs),
    wallMs: raised(limits.wallMs, asked['wall_ms'], most.wallMs),
  };
}
