{# Only amounts in the reporting currency are set against each other. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    members as (select * from {{ ref("int_programme__members") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    customer_months as (
        select
            customers.customer_key,
            customers.source,
            customer_months.month,
            customer_months.order_count,
            case
                when customer_months.currency_code = as_of.reporting_currency_code
                then {{ waterfall("net", "customer_months") }}
            end as net_amount
        from {{ ref("fct_customer_months") }} as customer_months
        inner join customers on customer_months.base_key = customers.customer_key
        cross join as_of
    ),

    totals as (
        select source, month, sum(net_amount) as net_amount
        from customer_months
        group by source, month
    ),

    programmes as (
        select source, programme_key, programme_id, min(enrolled_month) as first_month
        from members
        group by source, programme_key, programme_id
    ),

    member_months as (
        select
            programmes.source,
            programmes.programme_key,
            programmes.programme_id,
            months.month,
            months.is_partial,
            count(
                case when members.enrolled_month = months.month then 1 end
            ) as enrolled_count,
            count(
                case when members.valid_to_date >= months.last_date then 1 end
            ) as member_count,
            count(
                case
                    when
                        members.valid_to_date >= months.last_date
                        and customer_months.order_count > 0
                    then 1
                end
            ) as active_member_count,
            sum(
                case
                    when members.valid_to_date >= months.last_date
                    then customer_months.net_amount
                end
            ) as member_net_amount
        from programmes
        inner join months on programmes.first_month <= months.month
        inner join
            members
            on programmes.source = members.source
            and programmes.programme_key = members.programme_key
            and members.enrolled_date <= months.last_date
        left join
            customer_months
            on members.customer_key = customer_months.customer_key
            and months.month = customer_months.month
        group by
            programmes.source,
            programmes.programme_key,
            programmes.programme_id,
            months.month,
            months.is_partial
    ),

    final as (
        select
            {{
                made_key(
                    [
                        "member_months.source",
                        "member_months.programme_key",
                        "member_months.month",
                    ]
                )
            }} as member_month_key,
            member_months.*,
            as_of.reporting_currency_code as currency_code,
            totals.net_amount as total_net_amount
        from member_months
        cross join as_of
        left join totals using (source, month)
    )

select *
from final
