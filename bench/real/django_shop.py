"""Django: migrations, objects and templates of a shop, on SQLite in memory. Argument: orders."""

import random
import sys
import types
import zlib

import django
from django.conf import settings
from django.core.management import call_command

orders = int(sys.argv[1])
shop = types.ModuleType("shop")
shop.__path__ = ["shop"]  # a package without files: its models are below
shop.__file__ = "shop/__init__.py"
sys.modules["shop"] = shop
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "shop"],
    SECRET_KEY="none",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    USE_TZ=True,
)
django.setup()

from django.db import connection, models, transaction  # noqa: E402: they need the settings
from django.db.models import Avg, Count, F, Q, Sum  # noqa: E402
from django.template import Context, Template  # noqa: E402


class Customer(models.Model):
    name = models.CharField(max_length=50, db_index=True)
    town = models.CharField(max_length=50)

    class Meta:
        app_label = "shop"


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
    number = models.IntegerField(unique=True)
    paid = models.BooleanField(default=False)

    class Meta:
        app_label = "shop"


class Item(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="items")
    what = models.CharField(max_length=50)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    count = models.IntegerField()

    class Meta:
        app_label = "shop"


PAGE = Template(
    """{% for order in orders %}<h2>{{ order.number|stringformat:"06d" }} {{ order.customer.name|title }}</h2>
{% if order.paid %}paid{% else %}<b>open</b>{% endif %}<ul>{% for item in order.items.all %}
<li class="{% cycle 'odd' 'even' %}">{{ item.count }} {{ item.what|upper }} at {{ item.price|floatformat:2 }}</li>{% endfor %}</ul>
{% empty %}nothing{% endfor %}"""
)


def fill(generator):
    customers = Customer.objects.bulk_create([Customer(name=f"customer {n}", town=f"town {n % 17}") for n in range(orders // 4 + 1)])
    customers = list(Customer.objects.order_by("pk"))
    with transaction.atomic():
        for number in range(orders):
            order = Order.objects.create(customer=generator.choice(customers), number=number, paid=number % 3 == 0)
            Item.objects.bulk_create(
                Item(order=order, what=f"thing {generator.randrange(50)}", price=generator.randrange(100, 9999) / 100, count=1 + n)
                for n in range(generator.randrange(1, 5))
            )


def ask():
    spent = Customer.objects.annotate(orders_made=Count("orders", distinct=True), spent=Sum(F("orders__items__price") * F("orders__items__count")))
    print([(one.name, one.orders_made, str(one.spent)) for one in spent.filter(orders_made__gt=1).order_by("-spent", "pk")[:3]])
    print(Item.objects.filter(Q(order__paid=True) | Q(what__endswith="7")).aggregate(Avg("price"), Sum("count")))
    for order in Order.objects.filter(number__lt=orders // 2):
        order.paid = not order.paid
        order.save(update_fields=["paid"])
    print(Order.objects.filter(paid=True).count(), Customer.objects.get(name="customer 0").orders.count())


def show():
    length, checksum = 0, 0
    for start in range(0, orders, 50):
        found = Order.objects.filter(number__gte=start, number__lt=start + 50).select_related("customer").prefetch_related("items")
        text = PAGE.render(Context({"orders": found.order_by("number")}))
        length, checksum = length + len(text), zlib.crc32(text.encode(), checksum)
    print(length, checksum)


call_command("migrate", verbosity=0)
with connection.schema_editor() as editor:
    for model in (Customer, Order, Item):
        editor.create_model(model)
fill(random.Random(1))
ask()
show()
