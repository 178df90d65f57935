import { mark, type UnitParts } from './unit.ts';

/** What a property list needs beside what a unit does. */
export interface PlistParts extends UnitParts {
  name: string;
  /** Where standard output and error go. */
  log: string;
}

/** A launchd property list that runs one px: started at sign-in (or with the machine) and again when it fails. */
export function plistText({ name, executable, home, user, log }: PlistParts): string {
  const entries: [key: string, value: string][] = [
    ['Label', string(name)],
    ['ProgramArguments', `<array>${[executable, '--home', home, 'serve'].map(string).join('')}</array>`],
    ...(user === undefined ? [] : [['UserName', string(user)] as [string, string]]),
    ['RunAtLoad', '<true/>'],
    ['KeepAlive', '<dict><key>SuccessfulExit</key><false/></dict>'],
    ['ThrottleInterval', '<integer>10</integer>'],
    // Seconds from SIGTERM to SIGKILL, as TimeoutStopSec of the unit.
    ['ExitTimeOut', '<integer>40</integer>'],
    // Not `Background`: that one is kept to slow processors and slow disks, and people wait for the answers of px.
    ['ProcessType', string('Standard')],
    ['Umask', `<integer>${0o077}</integer>`],
    ['StandardOutPath', string(log)],
    ['StandardErrorPath', string(log)],
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ${mark}. -->
<plist version="1.0">
<dict>
${entries.map(([key, value]) => `  <key>${key}</key>\n  ${value}`).join('\n')}
</dict>
</plist>
`;
}

const string = (text: string) =>
  `<string>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}</string>`;
