"""gunicorn's settings for the web process: threads, nothing loaded before the fork."""

from infra.settings import load

_settings = load()

bind = _settings.web_bind
workers = _settings.web_workers
worker_class = "gthread"
threads = _settings.web_threads
preload_app = False  # the engine's client and the LISTEN connection do not survive a fork
timeout = 30
graceful_timeout = 8
keepalive = 5
control_socket_disable = True
loglevel = _settings.log_level
accesslog = None
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(M)sms'  # paths only: a query string may name a patient
