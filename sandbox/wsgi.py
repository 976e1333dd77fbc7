"""The WSGI application, and the two threads that belong to it."""

from django.core.wsgi import get_wsgi_application

from sandbox.deliveries import Postman
from sandbox.engine import Clockwork
from sandbox.world import world

application = get_wsgi_application()
Clockwork(world()).start()
Postman(world()).start()
