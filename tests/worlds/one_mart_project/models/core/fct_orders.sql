select order_id, customer_id, ordered_date, total_amount, md5(customer_id) as customer_hash
from {{ ref("int_orders__current") }}
