// The toast after claim, assign and snooze: counts down the seconds that undo is still offered, then leaves.
const toast = document.querySelector("[data-undo]");

function countDown(left) {
  const words = toast.querySelector("[data-undo-left]");
  const timer = setInterval(() => {
    left -= 1;
    if (words) words.textContent = `${left} s left`;
    if (left > 0) return;
    clearInterval(timer);
    toast.remove();
  }, 1000);
}

if (toast) countDown(Number(toast.dataset.undo));
