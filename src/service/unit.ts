/** What a unit is made of. */
export interface UnitParts {
  /** The compiled px. */
  executable: string;
  /** The home's folder. */
  home: string;
  /** Of a service of the whole machine: who it runs as. */
  user?: string;
}

/** First line of what px writes: only a file that has it is written over or removed. */
export const mark = 'Written by `px service install`';

/**
 * What both kinds of unit say. The main process alone is told to stop (plugins work on for the turns that are finished), and is
 * killed with all that is left after that. px compiles WebAssembly, so MemoryDenyWriteExecute stays off; it locks plugins with `seccomp`,
 * which @system-service leaves out. A px that hangs is killed outright: to be aborted would only fill the log with what Bun says of it.
 */
const common = `Type=notify
NotifyAccess=main
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
WatchdogSec=60
WatchdogSignal=SIGKILL
TimeoutStartSec=120
TimeoutStopSec=40
KillMode=mixed
OOMPolicy=continue
SyslogIdentifier=px
UMask=0077
LimitCORE=0

NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service seccomp
SystemCallErrorNumber=EPERM
`;

/** What only the manager of the whole machine can do: the file system is read-only but for the home, and nothing of the machine's own is reachable. */
const machine = `ProtectSystem=strict
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RemoveIPC=yes
CapabilityBoundingSet=
AmbientCapabilities=
`;

/** A systemd unit that runs one px. */
export function unitText({ executable, home, user }: UnitParts): string {
  const system = user !== undefined;
  const lines = [
    `# ${mark}. Your own changes: systemctl ${system ? '' : '--user '}edit NAME`,
    '[Unit]',
    'Description=px, a personal AI agent',
    ...(system ? ['Wants=network-online.target', 'After=network-online.target'] : []),
    'StartLimitIntervalSec=300',
    'StartLimitBurst=10',
    '',
    '[Service]',
    `ExecStart=${[executable, '--home', home, 'serve'].map(word).join(' ')}`,
    ...(system ? [`User=${user}`] : []),
    common.trimEnd(),
    ...(system ? [machine.trimEnd(), ...reach(executable, home)] : []),
    '',
    '[Install]',
    `WantedBy=${system ? 'multi-user.target' : 'default.target'}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Homes of people are hidden; a home or an executable that stands in one is the only thing seen of it. */
function reach(executable: string, home: string): string[] {
  const hidden = [executable, home].some(isBelowHomes);
  return [
    `ReadWritePaths=${word(home)}`,
    hidden ? 'ProtectHome=tmpfs' : 'ProtectHome=yes',
    ...(isBelowHomes(home) ? [`BindPaths=${word(home)}`] : []),
    ...(isBelowHomes(executable) ? [`BindReadOnlyPaths=${word(executable)}`] : []),
  ];
}

/** True for what `ProtectHome` would hide. */
export const isBelowHomes = (path: string) => /^\/(?:home|root|run\/user)(?:\/|$)/.test(path);

/** One word of a unit's line, as systemd reads it back. */
function word(text: string): string {
  const plain = text.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(plain) ? plain : `"${plain.replace(/[\\"]/g, '\\$&')}"`;
}
