import t from 'tap';
import { readMail } from '../../src/smtp/read-mail.ts';
import { control, start } from '../helper.ts';

t.test('a mail is read as people read it', async (t) => {
  const mail = readMail(
    [
      'Subject: =?utf-8?B?R3LDvMOfZQ==?=',
      ' =?UTF-8?Q?_f=C3=BCr_dich?=',
      'Message-ID: <a@b>',
      'Content-Type: multipart/alternative; boundary="x"',
      '',
      '--x',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'Gr=C3=BC=',
      '=C3=9Fe',
      '--x',
      'Content-Type: text/html',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from('<p>Grüße</p>').toString('base64'),
      '--x--',
      '',
    ].join('\r\n'),
  );
  t.match(mail, { subject: 'Grüße für dich', messageId: '<a@b>', text: 'Grüße', html: '<p>Grüße</p>' });
});

t.test('the control API lists mails and their faults', async (t) => {
  const simulator = await start(t);
  t.strictSame((await control(simulator, 'GET', 'emails')).data, { total: 0, emails: [] });
  const { data } = await control(simulator, 'POST', 'emails/faults', { kind: 'defer', count: 2 });
  t.match(data, { kind: 'defer', id: 1, struck: 0 });
  t.equal((await control(simulator, 'POST', 'emails/faults', { kind: 'explode' })).status, 400);
  t.strictSame((await control(simulator, 'DELETE', 'emails/faults?id=1')).data, { removed: 1 });
});
