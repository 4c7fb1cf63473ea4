import t from 'tap';
import { networkOf } from '../src/board/login.ts';

t.test('wrong logins are counted by address, in IPv6 by network', async (t) => {
  t.equal(networkOf('192.0.2.7'), '192.0.2.7');
  t.equal(networkOf('::ffff:192.0.2.7'), '192.0.2.7');
  t.equal(networkOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2');
  t.equal(networkOf('2001:db8:1:2::6'), '2001:db8:1:2');
  t.equal(networkOf('2001:db8::6'), '2001:db8:0:0');
  t.equal(networkOf('::1'), '0:0:0:0');
});
