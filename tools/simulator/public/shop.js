// The card of the simulated shop: what a customer does there is told to the merchant by signed webhooks.

const $ = (id) => document.getElementById(id);
const topics = { checkouts: 'checkouts/create', orders: 'orders/create' };

/** The person who writes on the phone is the one who shops. */
function shopper() {
  const phone = $('phone-number').value.replace(/\D/g, '');
  const name = $('profile-name').value.trim();
  return {
    ...(phone === '' ? {} : { phone: `+${phone}` }),
    ...(name === '' ? {} : { firstName: name }),
    email: `${phone || 'guest'}@customers.example`,
  };
}

async function happen(kind) {
  const result = $('shop-result');
  result.textContent = 'Telling the merchant …';
  const answer = await fetch(`_simulator/shopify/${kind}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(shopper()),
  });
  const { data, error } = await answer.json();
  if (!answer.ok) throw new Error(error?.message ?? `answered ${answer.status}`);
  const { status, attempts } = data.delivery;
  const how = status === undefined ? 'nobody answered' : `answered ${status}`;
  result.textContent = `${topics[kind]}: ${how}${attempts > 1 ? ` after ${attempts} attempts` : ''}.`;
}

for (const button of document.querySelectorAll('[data-shop]'))
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      await happen(button.dataset.shop);
    } catch (error) {
      $('shop-result').textContent = error.message;
    }
    button.disabled = false;
  });
