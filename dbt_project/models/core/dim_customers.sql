with
    merges as (select * from {{ ref("int_customers__merges") }}),

    records as (select * from {{ ref("int_customers__records") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    all_orders as (
        select
            *,
            case
                when is_counted and not is_after_as_of then order_date
            end as counted_date
        from {{ ref("int_orders__with_base") }}
    ),

    orders as (
        select
            customer_key,
            max(customer_currency_code) as currency_code,
            min(counted_date) as first_order_date,
            max(counted_date) as last_order_date,
            count(counted_date) as order_count,
            count(distinct counted_date) as order_day_count
        from all_orders
        where customer_key is not null
        group by customer_key
    ),

    customers as (
        select
            merges.merged_customer_key as customer_key,
            max(
                case
                    when merges.customer_key = merges.merged_customer_key
                    then merges.source
                end
            ) as source,
            max(
                case
                    when merges.customer_key = merges.merged_customer_key
                    then merges.customer_id
                end
            ) as customer_id,
            count(*) as record_count,
            max(case when merges.is_in_cycle then 1 else 0 end) = 1 as is_in_merge_cycle
        from merges
        group by merges.merged_customer_key
    ),

    typed as (
        select
            customers.*,
            coalesce(lower(records.customer_type), 'consumer') as customer_type,
            coalesce(records.base, 'customer') as base,
            coalesce(
                orders.currency_code, as_of.reporting_currency_code
            ) as currency_code,
            records.merged_customer_key is not null as is_in_crm,
            orders.first_order_date,
            orders.last_order_date,
            {{ month_start("orders.first_order_date") }} as first_order_month,
            coalesce(orders.order_count, 0) as order_count,
            coalesce(orders.order_day_count, 0) as order_day_count,
            records.created_date,
            records.earliest_known_since_date as known_since_date,
            records.age_band,
            records.gender,
            records.region,
            records.birth_month,
            records.household_id,
            records.household_key,
            records.payer_id,
            records.payer_key,
            records.referrer_customer_key,
            records.acquisition_source,
            records.acquisition_campaign_id,
            records.acquisition_campaign_key,
            records.is_target,
            records.has_email,
            records.has_phone
            {{ x_columns(ref("int_customers__records"), "records") }}
        from customers
        cross join as_of
        left join records on customers.customer_key = records.merged_customer_key
        left join orders on customers.customer_key = orders.customer_key
    ),

    final as (
        select
            typed.*,
            {{ base_key("typed.base", "typed.customer_key", "typed.currency_code") }}
            as base_key,
            -- seen for the first time when the data begin, so perhaps a customer for
            -- long
            {% if var("left_truncation") %}
                coalesce(
                    typed.first_order_date
                    < {{ add_days("as_of.data_start_date", var("churn_days")) }}
                    and not coalesce(
                        typed.known_since_date <= typed.first_order_date, false
                    ),
                    false
                )
            {% else %} false
            {% endif %} as is_left_truncated
        from typed
        cross join as_of
    )
select *
from final
