"""SQLAlchemy: objects of a shop are stored in SQLite, asked for in several ways and changed.
Argument: customers."""

import random
import sys

from sqlalchemy import Column, Float, ForeignKey, Integer, String, create_engine, func, select
from sqlalchemy.orm import Session, declarative_base, joinedload, relationship, selectinload

customers = int(sys.argv[1])
Base = declarative_base()


class Customer(Base):
    __tablename__ = "customer"
    id = Column(Integer, primary_key=True)
    name = Column(String(50), nullable=False)
    orders = relationship("Order", back_populates="customer", cascade="all, delete-orphan")


class Order(Base):
    __tablename__ = "orders"
    id = Column(Integer, primary_key=True)
    customer_id = Column(ForeignKey("customer.id"), index=True)
    note = Column(String(200))
    customer = relationship("Customer", back_populates="orders")
    items = relationship("Item", back_populates="order", cascade="all, delete-orphan", order_by="Item.id")


class Item(Base):
    __tablename__ = "item"
    id = Column(Integer, primary_key=True)
    order_id = Column(ForeignKey("orders.id"), index=True)
    price = Column(Float)
    count = Column(Integer, default=1)
    order = relationship("Order", back_populates="items")


def fill(session, generator):
    for number in range(customers):
        customer = Customer(name=f"customer {number}")
        for k in range(generator.randrange(4)):
            items = [Item(price=generator.randrange(1, 100) / 4, count=n + 1) for n in range(generator.randrange(1, 4))]
            customer.orders.append(Order(note=f"order {k} of {customer.name}", items=items))
        session.add(customer)
    session.commit()


def ask(session):
    spent = select(Customer.name, func.sum(Item.price * Item.count)).join(Customer.orders).join(Order.items).group_by(Customer.id)
    print([(name, round(price, 2)) for name, price in session.execute(spent.order_by(func.sum(Item.price * Item.count).desc(), Customer.id).limit(3))])
    with_orders = session.scalars(select(Customer).options(selectinload(Customer.orders).selectinload(Order.items))).all()
    print(sum(item.count for customer in with_orders for order in customer.orders for item in order.items))
    joined = session.scalars(select(Order).options(joinedload(Order.customer)).where(Order.note.like("%1%"))).unique().all()
    print(len(joined), sum(len(order.customer.name) for order in joined))
    for number in range(1, customers, 3):
        customer = session.get(Customer, number)
        customer.name = customer.name.upper()
        if len(customer.orders) > 2:
            session.delete(customer.orders[0])
    session.commit()
    for number in range(1, customers, 5):
        found = session.execute(select(func.count(Order.id)).where(Order.customer_id == number)).scalar_one()
        assert found == len(session.get(Customer, number).orders)
    print(session.scalar(select(func.count(Item.id))), session.scalar(select(func.count(Customer.id)).where(Customer.name.like("CUST%"))))


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    fill(session, random.Random(1))
    session.expunge_all()
    ask(session)
